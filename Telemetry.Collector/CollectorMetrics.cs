using System.Diagnostics;
using System.Diagnostics.Metrics;
using Telemetry.Storage;

namespace Telemetry.Collector;

/// <summary>The collector's metrics and spans. Counters that nothing has happened to show 0.</summary>
internal sealed class CollectorMetrics : IDisposable
{
    private const string Prefix = "telemetry_pipeline_collector_";

    private readonly Meter _meter = new("Telemetry.Collector");
    private readonly Counter<long> _processed;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _deadLetters;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _gapRecords;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _expired;
    private readonly Counter<long> _folded;
    private readonly Histogram<double> _freshness;
    private readonly Histogram<long> _transactionRecords;
    private readonly Histogram<double> _transactionSeconds;

    public CollectorMetrics()
    {
        _processed = Counter("messages_processed", "Records written to the store.");
        _errors = Counter("errors", "What went wrong, by reason.");
        _deadLetters = Counter("dead_letters", "Records that could not be stored, by reason.");
        _gaps = Counter("gaps", "Gaps: stretches of a log that never came.");
        _gapRecords = Counter("gap_records", "Records in gaps whose size is known.");
        _fenced = Counter("fenced_commits", "Partitions' writes that the store refused because another collector owns the partition.");
        _refused = Counter("refused_values", "Values left out of their records, by reason.");
        _expired = Counter("expired_records", "Records removed by retention.");
        _folded = Counter("folded_records", "Records compressed into the history.");
        _freshness = _meter.CreateHistogram(Prefix + "freshness_seconds", null, "From a record's time to its commit in the store; the last record of each batch.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600] });
        _transactionRecords = _meter.CreateHistogram(Prefix + "transaction_records", null, "Records in a transaction.",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000] });
        _transactionSeconds = _meter.CreateHistogram(Prefix + "transaction_duration_seconds", null, "How long a transaction takes.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });
        foreach (var counter in (Counter<long>[])[_processed, _gaps, _gapRecords, _fenced, _expired, _folded])
            counter.Add(0);
    }

    /// <summary>The source of the spans.</summary>
    public ActivitySource Spans { get; } = new("Telemetry.Collector");

    /// <summary>Adds what is read when it is asked for.</summary>
    public void Observe(TelemetryStore store, Func<int> activeWorkers, Func<long> recordsInHand)
    {
        _meter.CreateObservableGauge(Prefix + "database_size_bytes", () => store.DatabaseBytes, null, "The size of the database file with its write-ahead log.");
        _meter.CreateObservableGauge(Prefix + "wal_bytes", () => store.WalBytes, null, "The size of the write-ahead log; it grows while a reader stays in an old state.");
        _meter.CreateObservableGauge(Prefix + "active_workers", activeWorkers, null, "Decoding workers that run.");
        _meter.CreateObservableGauge(Prefix + "buffered_records", recordsInHand, null, "Records that were read and are not yet written.");
    }

    public void Processed(long records) => _processed.Add(records);

    public void Error(string reason) => _errors.Add(1, Reason(reason));

    public void DeadLetters(string reason, long records)
    {
        _deadLetters.Add(records, Reason(reason));
        _errors.Add(1, Reason(reason));
    }

    public void Gap(LogGap gap)
    {
        _gaps.Add(1);
        if (gap.FromOffset >= 0 && gap.ToOffset >= 0)
            _gapRecords.Add(gap.ToOffset - gap.FromOffset);
    }

    public void Fenced() => _fenced.Add(1);

    public void Refused(string reason, long values) => _refused.Add(values, Reason(reason));

    public void Expired(long records) => _expired.Add(records);

    public void Folded(long records) => _folded.Add(records);

    public void Fresh(TimeSpan age) => _freshness.Record(Math.Max(0, age.TotalSeconds));

    public void Transaction(long records, TimeSpan duration)
    {
        _transactionRecords.Record(records);
        _transactionSeconds.Record(duration.TotalSeconds);
    }

    private Counter<long> Counter(string name, string description) => _meter.CreateCounter<long>(Prefix + name + "_total", null, description);

    private static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);

    public void Dispose()
    {
        _meter.Dispose();
        Spans.Dispose();
    }
}
