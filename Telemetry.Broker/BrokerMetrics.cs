using System.Diagnostics.Metrics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker;

/// <summary>
/// What the broker counts. Labels are topics, partitions and groups that exist (all bounded by <see cref="BrokerLimits"/>),
/// never ids of producers or members. No units: the exporter would add them to the names.
/// </summary>
internal sealed class BrokerMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Telemetry.Broker";

    private const string Prefix = "telemetry_pipeline_messagequeue_";

    // Seconds: an append in memory takes microseconds, a sync milliseconds, a wait for room seconds.
    private static readonly double[] DurationBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    // From a single record to what fits under way, in steps of ten.
    private static readonly long[] RecordBounds = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    private static readonly long[] ByteBounds = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

    private readonly Meter _meter;
    private readonly Counter<long> _published;
    private readonly Counter<long> _consumed;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _expiredUnread;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _rejected;
    private readonly Histogram<double> _publishDuration;
    private readonly Histogram<double> _syncDuration;
    private readonly Histogram<long> _writtenRecords;
    private readonly Histogram<long> _writtenBytes;
    private readonly Counter<long> _recoveries;
    private readonly Counter<long> _tornBytes;

    /// <param name="meter">The meter; disposed with this.</param>
    public BrokerMetrics(Meter meter)
    {
        _meter = meter;
        _published = Counter("messages_published_total", "Records appended.");
        _consumed = Counter("messages_consumed_total", "Records sent to consumers.");
        _fenced = Counter("fenced_total", "Producers, members and commits refused because a newer one took their place.");
        _duplicates = Counter("duplicates_total", "Batches that came again and were not appended twice.");
        _expiredUnread = Counter("expired_unread_total", "Records that expired before every group had read them.");
        _gaps = Counter("gaps_total", "Gaps that were reported to consumers.");
        _rejected = Counter("rejected_total", "Publishes refused, by reason.");
        _publishDuration = _meter.CreateHistogram(
            Prefix + "publish_duration_seconds",
            unit: null,
            "From the arrival of a batch to its acknowledgement, with the wait for room.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBounds });
        _syncDuration = _meter.CreateHistogram(
            Prefix + "sync_duration_seconds",
            unit: null,
            "What making a group of appends durable took.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBounds });
        _writtenRecords = Sizes("written_records", "Records that were written together, in all partitions.", RecordBounds);
        _writtenBytes = Sizes("written_bytes", "Bytes that were written together, in all partitions.", ByteBounds);
        _recoveries = Counter("recoveries_total", "Logs that were opened at a start, by how they had been closed.");
        _tornBytes = Counter("torn_bytes_total", "Bytes of appends that nobody was told of, cut off when a log was opened.");
    }

    public void Published(string topic, int records) => _published.Add(records, new KeyValuePair<string, object?>("topic", topic));

    /// <param name="topic">The topic.</param>
    /// <param name="group">The group; empty outside groups.</param>
    /// <param name="records">Records sent.</param>
    public void Consumed(string topic, string group, int records) =>
        _consumed.Add(records, new KeyValuePair<string, object?>("topic", topic), new KeyValuePair<string, object?>("group", group));

    /// <param name="kind"><c>producer</c>, <c>member</c> or <c>commit</c>.</param>
    public void Fenced(string kind) => _fenced.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Duplicate(string topic) => _duplicates.Add(1, new KeyValuePair<string, object?>("topic", topic));

    public void ExpiredUnread(string topic, long records) => _expiredUnread.Add(records, new KeyValuePair<string, object?>("topic", topic));

    public void Gap(string topic, string reason) =>
        _gaps.Add(1, new KeyValuePair<string, object?>("topic", topic), new KeyValuePair<string, object?>("reason", reason));

    public void Rejected(ErrorCode reason) =>
        _rejected.Add(1, new KeyValuePair<string, object?>("reason", Rpc.BrokerErrors.Name(reason).ToLowerInvariant()));

    public void PublishTook(TimeSpan duration) => _publishDuration.Record(duration.TotalSeconds);

    public void SyncTook(TimeSpan duration) => _syncDuration.Record(duration.TotalSeconds);

    /// <summary>A round of the committer has written so much.</summary>
    public void Wrote(long records, long bytes)
    {
        _writtenRecords.Record(records);
        _writtenBytes.Record(bytes);
    }

    public void Recovered(in Log.RecoveryReport report)
    {
        _recoveries.Add(1, new KeyValuePair<string, object?>("closed", report.InOrder ? "in_order" : "by_a_crash"));
        _tornBytes.Add(report.TornBytes);
    }

    /// <summary>Shows the state of a broker: what its partitions hold and how far behind its groups are.</summary>
    public void Observe(BrokerCore core)
    {
        _meter.CreateObservableGauge(Prefix + "queue_size", () => Partitions(core, partition => partition.Records), unit: null, "Records that a partition holds.");
        _meter.CreateObservableGauge(Prefix + "queue_bytes", () => Partitions(core, partition => partition.Bytes), unit: null, "Bytes that a partition holds.");
        _meter.CreateObservableGauge(Prefix + "damaged_records", () => Partitions(core, partition => partition.DamagedRecords), unit: null, "Acknowledged records that cannot be read any more.");
        _meter.CreateObservableGauge(Prefix + "under_way_bytes", () => core.Settings.UnderWay.Used, unit: null, "Bytes on their way to the disk.");
        _meter.CreateObservableGauge(Prefix + "memory_bytes", () => core.Memory.Used, unit: null, "Bytes of batches in memory.");
        _meter.CreateObservableGauge(Prefix + "lag_records", () => Lags(core, lag => lag.Records), unit: null, "Records that a group has not committed yet.");
        _meter.CreateObservableGauge(Prefix + "lag_seconds", () => Lags(core, lag => lag.Seconds), unit: null, "Age of the oldest record that a group has not committed yet.");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Partitions(BrokerCore core, Func<Log.PartitionLog, long> value) => core.Topics.Partitions.Select(partition => new Measurement<long>(
        value(partition),
        new KeyValuePair<string, object?>("topic", partition.Topic),
        new KeyValuePair<string, object?>("partition", partition.Partition)));

    private static IEnumerable<Measurement<T>> Lags<T>(BrokerCore core, Func<Log.Lag, T> value)
        where T : struct =>
        core.Groups.All.SelectMany(group => group.Lags().Select(shard => new Measurement<T>(
            value(shard.Lag),
            new KeyValuePair<string, object?>("group", group.Name),
            new KeyValuePair<string, object?>("topic", group.Topic.Name),
            new KeyValuePair<string, object?>("partition", shard.Partition))));

    private Histogram<long> Sizes(string name, string description, long[] bounds) => _meter.CreateHistogram(
        Prefix + name, unit: null, description, tags: null, new InstrumentAdvice<long> { HistogramBucketBoundaries = bounds });

    private Counter<long> Counter(string name, string description) => _meter.CreateCounter<long>(Prefix + name, unit: null, description);
}
