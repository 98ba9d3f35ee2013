using System.Reflection;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Prometheus;

/// <summary>What Grafana asks on its own: metrics, the version, and what this gateway has none of.</summary>
internal static class StatusRoutes
{
    /// <summary>Grafana asks a Prometheus of this version for labels by <c>match[]</c>, and for no native histograms.</summary>
    private const string LikePrometheus = "2.55.0";

    private static readonly HashSet<string> Counters = new(StringComparer.Ordinal)
    {
        "energy_mj", "pcie_replays", "power_violation", "thermal_violation", "ecc_sbe", "ecc_dbe",
    };

    private static readonly TextParameter Metric = new("metric", "Only this metric.") { Example = "gpu_utilization" };

    private static readonly NumberParameter Limit = new("limit", "The most metrics; 0 is no limit.", 0, int.MaxValue, 0) { Example = 100 };

    private static readonly PromQlParameter Query = new("query", "A query.") { Example = "gpu_utilization" };

    /// <summary>GET /prometheus/api/v1/metadata.</summary>
    public static readonly PrometheusRoute<IReadOnlyDictionary<string, IReadOnlyList<MetricMetadata>>> Metadata = new()
    {
        Path = "/prometheus/api/v1/metadata",
        OperationId = "promMetadata",
        Tag = Tags.Prometheus,
        Summary = "Says what metrics are",
        Description = "The type of each metric of the store, under its own name and under dcgm-exporter's.",
        Parameters = [Metric, Limit],
        Answer = MetadataAsync,
        Example = new Dictionary<string, IReadOnlyList<MetricMetadata>> { ["power_w"] = [new MetricMetadata { Type = "gauge", Help = "", Unit = "" }] },
    };

    /// <summary>GET /prometheus/api/v1/status/buildinfo.</summary>
    public static readonly PrometheusRoute<BuildInfo> BuildInfo = new()
    {
        Path = "/prometheus/api/v1/status/buildinfo",
        OperationId = "promBuildInfo",
        Tag = Tags.Prometheus,
        Summary = "Says which Prometheus this answers like",
        Description = "The version is that of the Prometheus whose requests are understood; clients choose theirs by it. The revision says what this really is.",
        Answer = _ => Task.FromResult(new PrometheusAnswer<BuildInfo> { Data = Build }),
        Example = Build,
    };

    /// <summary>GET and POST /prometheus/api/v1/query_exemplars.</summary>
    public static readonly PrometheusRoute<IReadOnlyList<string>> Exemplars = new()
    {
        Path = "/prometheus/api/v1/query_exemplars",
        OperationId = "promExemplars",
        Tag = Tags.Prometheus,
        Summary = "Lists exemplars, of which there are none",
        Description = "Always empty: records have no traces.",
        Parameters = [Query],
        TakesForm = true,
        Answer = _ => Task.FromResult(new PrometheusAnswer<IReadOnlyList<string>> { Data = [] }),
        Example = [],
    };

    /// <summary>GET /prometheus/api/v1/rules.</summary>
    public static readonly PrometheusRoute<RuleGroups> Rules = new()
    {
        Path = "/prometheus/api/v1/rules",
        OperationId = "promRules",
        Tag = Tags.Prometheus,
        Summary = "Lists rules, of which there are none",
        Description = "Always empty: rules are a Prometheus's own.",
        Answer = _ => Task.FromResult(new PrometheusAnswer<RuleGroups> { Data = new RuleGroups() }),
        Example = new RuleGroups(),
    };

    /// <summary>GET /prometheus/api/v1/alerts.</summary>
    public static readonly PrometheusRoute<Alerts> Alerts = new()
    {
        Path = "/prometheus/api/v1/alerts",
        OperationId = "promAlerts",
        Tag = Tags.Prometheus,
        Summary = "Lists alerts, of which there are none",
        Description = "Always empty: alerts are a Prometheus's own.",
        Answer = _ => Task.FromResult(new PrometheusAnswer<Alerts> { Data = new Alerts() }),
        Example = new Alerts(),
    };

    private static BuildInfo Build => new()
    {
        Version = LikePrometheus,
        Revision = $"gpu-telemetry-gateway-{Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}",
    };

    private static async Task<PrometheusAnswer<IReadOnlyDictionary<string, IReadOnlyList<MetricMetadata>>>> MetadataAsync(PrometheusRequest request)
    {
        var only = request.Get(Metric);
        var limit = request.Get(Limit);
        var metrics = new Vocabulary(await request.Services.Store.MetricsAsync(request.Stop)).Metrics.Where(m => only is null || m.Name == only);
        return new PrometheusAnswer<IReadOnlyDictionary<string, IReadOnlyList<MetricMetadata>>>
        {
            Data = metrics.Take(limit == 0 ? int.MaxValue : limit).ToDictionary(m => m.Name, Describe, StringComparer.Ordinal),
        };
    }

    private static IReadOnlyList<MetricMetadata> Describe(NamedMetric metric) =>
    [
        new MetricMetadata
        {
            Type = Counters.Contains(metric.Column) ? "counter" : "gauge",
            Help = metric.Name == metric.Column ? "" : $"dcgm-exporter's name of {metric.Column}",
            Unit = "",
        },
    ];
}
