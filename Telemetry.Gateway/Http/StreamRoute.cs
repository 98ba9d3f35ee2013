using System.Text.Json.Nodes;
using Telemetry.Storage;

namespace Telemetry.Gateway.Http;

/// <summary>What a route answers as a stream, once everything that may be wrong with the request was looked at.</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="WriteAsync">Writes it. Where it throws, the connection is cut, so that nobody takes a part for the whole.</param>
internal sealed record StreamAnswer(string MediaType, Func<HttpResponse, CancellationToken, Task> WriteAsync)
{
    /// <summary>The file that a browser saves it in; null for none.</summary>
    public string? FileName { get; init; }
}

/// <summary>
/// A route that answers a stream, for as long as it takes: it has bounds of its own instead of those for short requests, and
/// ends when the gateway stops.
/// </summary>
internal sealed class StreamRoute : ApiRoute
{
    /// <summary>Checks a request, within the time that a query may take.</summary>
    public required Func<ApiRequest, Task<StreamAnswer>> Begin { get; init; }

    /// <summary>The media types with an example of each.</summary>
    public required IReadOnlyList<(string MediaType, string Example)> Examples { get; init; }

    /// <summary>How many may be open.</summary>
    public required Func<GatewayOptions, RequestBounds> Bounds { get; init; }

    internal override IReadOnlyList<(string MediaType, JsonNode Example)> Answers => [.. Examples.Select(e => (e.MediaType, (JsonNode)JsonValue.Create(e.Example)))];

    internal override void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods(Path, [HttpMethods.Get, HttpMethods.Head], HandleAsync)
            .WithMetadata(this)
            .Produces<string>(StatusCodes.Status200OK, Examples[0].MediaType, [.. Examples.Skip(1).Select(e => e.MediaType)]);

    private async Task<IResult> HandleAsync(HttpContext http, GatewaySources sources, IHostApplicationLifetime lifetime, ILogger<ApiRoute> logger)
    {
        var answer = await WithinLimitAsync(http, sources, logger, Begin);
        http.Response.ContentType = answer.MediaType;
        http.Response.Headers.CacheControl = "no-store";
        if (answer.FileName is { } file)
            http.Response.Headers.ContentDisposition = $"attachment; filename=\"{file}\"";
        if (HttpMethods.IsHead(http.Request.Method))
            return Results.Empty;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await answer.WriteAsync(http.Response, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            http.Abort();
        }
        catch (Exception error) when (!http.Response.HasStarted)
        {
            http.Response.Headers.ContentDisposition = default;
            if (error is StoreException unreadable && IsUnavailable(unreadable))
                throw Unavailable(http, logger, unreadable);
            throw;
        }
        // Whatever it is, there is no other way left to say so than to cut the connection.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            if (!http.RequestAborted.IsCancellationRequested)
                GatewayLog.StreamCut(logger, http.Request.Method, Path, error);
            http.Abort();
        }
        return Results.Empty;
    }
}
