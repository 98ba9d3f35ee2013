using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Telemetry.Broker;

/// <summary>Unhealthy while the broker stops, or when the storage of a partition failed for good, or lost records to damage.</summary>
internal sealed class BrokerHealthCheck(BrokerCore core) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (core.Stopping.IsCancellationRequested)
            return Task.FromResult(HealthCheckResult.Unhealthy("stopping"));
        var failed = core.Topics.Partitions.Count(partition => partition.Failed);
        if (failed > 0)
            return Task.FromResult(HealthCheckResult.Unhealthy($"the storage of {failed} partitions failed"));
        var damaged = core.Topics.Partitions.Sum(partition => partition.DamagedRecords);
        return Task.FromResult(damaged == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"{damaged} acknowledged records are damaged on disk"));
    }
}
