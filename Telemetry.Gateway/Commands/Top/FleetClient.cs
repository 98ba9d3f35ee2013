using System.Net;
using System.Text.Json;
using Telemetry.Gateway.Answers;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>Asks a gateway for the newest record of every GPU.</summary>
internal sealed class FleetClient : IDisposable
{
    private static readonly TimeSpan PatienceDefault = TimeSpan.FromSeconds(10);

    // Its own time-out ends with the headers of an answer.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.Brotli | DecompressionMethods.GZip })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly TimeSpan _patience;
    private readonly Uri _latest;

    /// <param name="url">The gateway, maybe under a path.</param>
    /// <param name="patience">How long a whole answer may take; 10 s if null.</param>
    public FleetClient(Uri url, TimeSpan? patience = null)
    {
        _patience = patience ?? PatienceDefault;
        Url = url.AbsoluteUri.TrimEnd('/');
        _latest = new Uri(Url + "/api/v1/telemetry/latest");
    }

    /// <summary>The gateway's address.</summary>
    public string Url { get; }

    /// <summary>The records, by host and GPU.</summary>
    /// <exception cref="CommandException">There is no answer, or none that a gateway gives.</exception>
    public async Task<IReadOnlyList<LatestGpu>> LatestAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_patience);
        try
        {
            return await AskAsync(deadline.Token);
        }
        catch (HttpRequestException error)
        {
            throw Failed($"no gateway answers at {Url}: {error.GetBaseException().Message}", error);
        }
        catch (IOException error)
        {
            throw Failed($"the gateway at {Url} broke off: {error.GetBaseException().Message}", error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed($"the gateway at {Url} did not answer within {_patience.TotalSeconds:0.###} s", error);
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException) // the latter two: of what cannot be decompressed
        {
            throw Failed($"what answers at {Url} is no gateway", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<IReadOnlyList<LatestGpu>> AskAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(_latest, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw Failed($"the gateway at {Url} answered {(int)response.StatusCode}: {await ReasonAsync(response, cancellationToken)}", null);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return (await JsonSerializer.DeserializeAsync(body, GatewayJson.Default.LatestAnswer, cancellationToken))?.Data
            ?? throw Failed($"what answers at {Url} is no gateway", null);
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType != Http.Problem.MediaType)
            return "it may be no gateway";
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return (await JsonSerializer.DeserializeAsync(body, GatewayJson.Default.Problem, cancellationToken))?.Detail ?? "";
    }

    private static CommandException Failed(string reason, Exception? error) => new(ServiceProgram.ExitFailure, reason, error!);
}
