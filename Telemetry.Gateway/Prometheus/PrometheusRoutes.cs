using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Prometheus;

/// <summary>
/// What of Prometheus's HTTP API a Grafana asks, under <c>/prometheus</c>: so <c>http://gateway:8080/prometheus</c> is the
/// address of a data source.
/// </summary>
internal static class PrometheusRoutes
{
    /// <summary>How long a query may take, of those that can be long.</summary>
    public static readonly SpanParameter Timeout = new("timeout", "How long the query may take, where that is less than the gateway's own limit.") { Example = "10s" };

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ApiRoute> All =
    [
        QueryRoutes.Instant,
        QueryRoutes.Range,
        LabelRoutes.Series,
        LabelRoutes.Names,
        LabelRoutes.Values,
        StatusRoutes.Metadata,
        StatusRoutes.BuildInfo,
        StatusRoutes.Exemplars,
        StatusRoutes.Rules,
        StatusRoutes.Alerts,
    ];
}
