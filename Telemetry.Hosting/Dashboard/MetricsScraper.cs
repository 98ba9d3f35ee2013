using System.Globalization;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>Asks replicas for their metrics, each only when a browser shows them.</summary>
internal sealed class MetricsScraper : IDisposable
{
    private const int BytesMax = 2 * 1024 * 1024;
    private const int SamplesMax = 1_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        Timeout = Timeout,
        MaxResponseContentBufferSize = BytesMax,
    };

    /// <summary>The endpoint that metrics are taken to be at: the first one that speaks HTTP/1.1.</summary>
    public static PlannedEndpoint? EndpointOf(PlannedResource resource) =>
        resource.Endpoints.Find(endpoint => endpoint.Annotation is { UriScheme: "http", Transport: "http" });

    /// <summary>The metrics of a replica now, or why there are none.</summary>
    public async Task<ReplicaMetrics> ScrapeAsync(PlannedResource resource, Replica replica, CancellationToken cancellationToken)
    {
        if (EndpointOf(resource) is not { } endpoint)
            return new ReplicaMetrics(replica.Id, "it has no HTTP endpoint", false, []);
        if (replica.Status.State != KnownResourceStates.Running)
            return new ReplicaMetrics(replica.Id, "it does not run", false, []);
        try
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{endpoint.TargetPorts[replica.Index].Port}/metrics");
            using var response = await _client.GetAsync(new Uri(address), cancellationToken);
            if (!response.IsSuccessStatusCode)
                return new ReplicaMetrics(replica.Id, string.Create(CultureInfo.InvariantCulture, $"GET /metrics: status {(int)response.StatusCode}"), false, []);
            var (samples, isCut) = PrometheusText.Parse(Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken)), SamplesMax);
            return new ReplicaMetrics(replica.Id, null, isCut, samples);
        }
        catch (HttpRequestException error)
        {
            return new ReplicaMetrics(replica.Id, $"GET /metrics: {error.Message}", false, []);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ReplicaMetrics(replica.Id, string.Create(CultureInfo.InvariantCulture, $"GET /metrics: no answer within {Timeout.TotalSeconds:0} s"), false, []);
        }
    }

    public void Dispose() => _client.Dispose();
}
