using Microsoft.Extensions.Diagnostics.HealthChecks;
using Telemetry.Storage;

namespace Telemetry.Collector.Writing;

/// <summary>Whether the store is there and takes writes. Says also when a failure is worth a line in the log.</summary>
internal sealed class StoreHealth(string databasePath, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private long? _failingSince;
    private long _loggedAt;
    private string _fault = "";

    /// <summary>Notes a failure.</summary>
    /// <returns>Whether to log it: the first of an outage, and one now and then.</returns>
    public bool Failed(StoreException error)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _fault = error.Fault.ToString();
            if (_failingSince is not null && time.GetElapsedTime(_loggedAt, now) < LogInterval)
                return false;
            _failingSince ??= now;
            _loggedAt = now;
            return true;
        }
    }

    /// <summary>Notes a success.</summary>
    /// <returns>How long the outage was that it ends; null where there was none.</returns>
    public TimeSpan? Works()
    {
        lock (_lock)
        {
            if (_failingSince is not { } since)
                return null;
            _failingSince = null;
            return time.GetElapsedTime(since);
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_failingSince is not null)
                return Task.FromResult(HealthCheckResult.Unhealthy($"the store does not take writes: {_fault}"));
        }
        return Task.FromResult(File.Exists(databasePath) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("the store is gone"));
    }
}
