namespace Telemetry.Gateway.Http;

/// <summary>The groups of routes in the documentation.</summary>
internal static class Tags
{
    /// <summary>Records and what is computed from them.</summary>
    public const string Telemetry = "Telemetry";

    /// <summary>The fleet as a whole.</summary>
    public const string Fleet = "Fleet";

    /// <summary>What Grafana asks of a Prometheus.</summary>
    public const string Prometheus = "Prometheus";

    /// <summary>The pipeline itself.</summary>
    public const string Operations = "Operations";

    /// <summary>Each with a sentence.</summary>
    public static readonly (string Name, string Description)[] All =
    [
        (Telemetry, "Records of GPUs, their hosts, and what is computed from them."),
        (Fleet, "The fleet as a whole."),
        (Prometheus, "Prometheus's own API for a part of PromQL, so that Grafana can read the store. Errors have Prometheus's envelope; parameters that are not known do not matter."),
        (Operations, "The pipeline itself: lag, gaps, health, metrics."),
    ];
}
