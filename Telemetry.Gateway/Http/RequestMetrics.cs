using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Telemetry.Gateway.Http;

/// <summary>
/// Counts and times requests by method, route and status. The route is the template, never the path: users cannot add
/// series. The names are those of the README; the exporter adds the counter's <c>_total</c>.
/// </summary>
internal sealed class RequestMetrics : IDisposable
{
    private const string Unmatched = "unmatched";

    private readonly Meter _meter = new("Telemetry.Gateway");
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<long> _inFlight;

    public RequestMetrics()
    {
        _requests = _meter.CreateCounter<long>("telemetry_pipeline_gateway_http_requests_total", null, "Requests answered.");
        _duration = _meter.CreateHistogram(
            "telemetry_pipeline_gateway_http_request_duration_seconds", null, "Seconds from a request to the end of its answer; of a stream, to its beginning.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });
        _inFlight = _meter.CreateUpDownCounter<long>("telemetry_pipeline_gateway_http_requests_in_flight", null, "Requests that are being answered.");
    }

    /// <summary>Measures a request.</summary>
    public async Task MeasureAsync(HttpContext http, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        var method = new KeyValuePair<string, object?>("method", Method(http.Request.Method));
        var route = new KeyValuePair<string, object?>("route", Route(http));
        _inFlight.Add(1, method, route);
        // How long a stream lasts says nothing about the gateway, and hours would drown the rest.
        TimeSpan? begun = null;
        if (http.GetEndpoint()?.Metadata.GetMetadata<StreamRoute>() is not null)
        {
            http.Response.OnStarting(() =>
            {
                begun = Stopwatch.GetElapsedTime(started);
                return Task.CompletedTask;
            });
        }
        try
        {
            await next(http);
        }
        finally
        {
            _inFlight.Add(-1, method, route);
            var status = new KeyValuePair<string, object?>("status", http.Response.StatusCode);
            _requests.Add(1, method, route, status);
            _duration.Record((begun ?? Stopwatch.GetElapsedTime(started)).TotalSeconds, method, route, status);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static string Route(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint endpoint ? endpoint.RoutePattern.RawText ?? Unmatched
        : http.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) ? "/swagger/{file}"
        : Unmatched;

    private static string Method(string method) => method switch
    {
        "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" => method,
        _ => "other",
    };
}
