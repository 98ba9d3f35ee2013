using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Endpoints;

/// <summary>What is measured.</summary>
internal static class MetricRoutes
{
    /// <summary>GET /api/v1/metrics.</summary>
    public static readonly ApiRoute<MetricsAnswer> Metrics = new()
    {
        Path = "/api/v1/metrics",
        OperationId = "listMetrics",
        Tag = Tags.Telemetry,
        Summary = "Lists the metrics",
        Description = "The metrics of which a value was ever stored, by name, with their units where they are known.",
        ChangesRarely = true,
        Answer = MetricsAsync,
        Example = new MetricsAnswer { Data = [Info("gpu_utilization"), Info("power_w")], Total = 2 },
    };

    private static async Task<MetricsAnswer> MetricsAsync(ApiRequest request)
    {
        var names = await request.Store.MetricsAsync(request.Stop);
        return new MetricsAnswer { Data = [.. names.Select(Info)], Total = names.Count };
    }

    private static MetricInfo Info(string name) => new() { Name = name, Unit = MetricUnits.Of(name), Description = MetricUnits.Description(name) };
}
