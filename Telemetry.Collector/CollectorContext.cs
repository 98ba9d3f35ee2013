using Telemetry.Collector.Writing;
using Telemetry.Storage;

namespace Telemetry.Collector;

/// <summary>What every part of the collector works with.</summary>
internal sealed record CollectorContext(
    CollectorOptions Options, TelemetryStore Store, CollectorMetrics Metrics, StoreHealth Health, ILogger Logger, TimeProvider Time)
{
    private const int RefusalsMax = 1_000;

    private readonly HashSet<(string Metric, string Reason)> _refusals = [];

    /// <summary>Who takes partitions, for people who look into the store.</summary>
    public string Owner { get; } = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Stops the process with an exit code: a part of it cannot go on.</summary>
    public required Action<Exception> Fail { get; init; }

    /// <summary>Notes a failure of the store that will be tried again.</summary>
    public void StoreFailed(StoreException error)
    {
        Metrics.Error("store_" + error.Fault.ToString().ToLowerInvariant());
        if (Health.Failed(error))
            CollectorLog.StoreFailed(Logger, error.Message);
    }

    /// <summary>
    /// Whether a metric was not refused before: a source that has it once has it in every record, so it is logged once, and
    /// the counter goes on. For the writer alone.
    /// </summary>
    public bool IsNewRefusal(string metric, string reason) => _refusals.Count < RefusalsMax && _refusals.Add((metric, reason));

    /// <summary>Notes that the store works.</summary>
    public void StoreWorks()
    {
        if (Health.Works() is { } outage)
            CollectorLog.StoreIsBack(Logger, outage.TotalSeconds);
    }
}
