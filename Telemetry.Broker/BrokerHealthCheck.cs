using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Telemetry.Broker;

/// <summary>Unhealthy while the broker stops, or when the storage of a partition failed for good.</summary>
internal sealed class BrokerHealthCheck(BrokerCore core) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (core.Stopping.IsCancellationRequested)
            return Task.FromResult(HealthCheckResult.Unhealthy("stopping"));
        var failed = core.Topics.Partitions.Count(partition => partition.Failed);
        return Task.FromResult(failed == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"the storage of {failed} partitions failed"));
    }
}
