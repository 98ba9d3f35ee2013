namespace Telemetry.Storage.Queries;

/// <summary>A half-open range of time: [<paramref name="Start"/>, <paramref name="End"/>).</summary>
public readonly record struct TimeRange(DateTimeOffset Start, DateTimeOffset End);

/// <summary>A GPU's identity labels; empty where the source does not say.</summary>
public sealed record GpuLabels(
    string HostId, string GpuId, string Uuid, string Model, string Device, string Pod, string Namespace, string Container);

/// <summary>A record: time, identity and the metrics that it has (absent ones are not in the dictionary), by column name.</summary>
public sealed record TelemetryRow(DateTimeOffset Timestamp, GpuLabels Gpu, IReadOnlyDictionary<string, double> Metrics);

/// <summary>Where a page of rows goes on, in the order newest first.</summary>
/// <param name="TimeUnixMs">The time of the page's last row in milliseconds.</param>
/// <param name="Series">The number of its series in the store, which decides among equal times.</param>
/// <param name="Left">How many rows of that time and series follow it.</param>
public readonly record struct RowCursor(long TimeUnixMs, long Series, long Left);

/// <summary>Which rows.</summary>
public sealed record RowQuery
{
    /// <summary>Only this host; null for all.</summary>
    public string? HostId { get; init; }

    /// <summary>Only this GPU index; null for all.</summary>
    public string? GpuId { get; init; }

    /// <summary>From this time on.</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? End { get; init; }

    /// <summary>Only these metrics, and of them those that exist; null for all.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }

    /// <summary>Rows to pass over; 0 with a cursor.</summary>
    public long Skip { get; init; }

    /// <summary>Rows to return, at most.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Go on after this row.</summary>
    public RowCursor? After { get; init; }

    /// <summary>
    /// Whether to count all rows that match, which may read all of them. Turn it off where pages follow one another:
    /// then <see cref="RowPage.Total"/> is -1.
    /// </summary>
    public bool CountTotal { get; init; } = true;
}

/// <summary>Rows, newest first.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Total">All rows that match, whatever the page; -1 if they were not to be counted.</param>
/// <param name="Next">Where the next page begins; null at the end.</param>
public sealed record RowPage(IReadOnlyList<TelemetryRow> Rows, long Total, RowCursor? Next);

/// <summary>A host.</summary>
public sealed record HostRow(string HostId, int GpuCount, DateTimeOffset FirstSeen, DateTimeOffset LastSeen);

/// <summary>A GPU with its newest labels.</summary>
public sealed record GpuRow(GpuLabels Gpu, DateTimeOffset FirstSeen, DateTimeOffset LastSeen);

/// <summary>How aggregations are grouped.</summary>
public enum GroupBy
{
    /// <summary>A group is a host.</summary>
    HostId,

    /// <summary>A group is a GPU: host and index.</summary>
    GpuId,
}

/// <summary>A metric over a range: how many values, and their average, minimum, maximum, and the newest.</summary>
public sealed record MetricAggregate(string Metric, long Count, double Sum, double Min, double Max, double Last)
{
    /// <summary>The arithmetic mean.</summary>
    public double Avg => Sum / Count;
}

/// <summary>A group of an aggregation. <paramref name="GpuId"/> is null when grouped by host.</summary>
public sealed record AggregateGroup(string HostId, string? GpuId, long Rows, IReadOnlyList<MetricAggregate> Metrics);

/// <summary>A bucket of a series; a bucket without values is not in the list, so that a gap stays a gap.</summary>
public sealed record SeriesPoint(DateTimeOffset Start, long Count, double Avg, double Min, double Max, double Last);

/// <summary>The newest record of a GPU.</summary>
public sealed record LatestRow(TelemetryRow Row, DateTimeOffset FirstSeen);

/// <summary>The fleet over a range.</summary>
/// <param name="Hosts">Hosts with a record in the range.</param>
/// <param name="Gpus">GPUs with a record in the range.</param>
/// <param name="Rows">Records in the range.</param>
/// <param name="Metrics">Over all of them, by metric.</param>
/// <param name="Completeness">
/// Received over expected records, 0 to 1, null without records. Expected: for each GPU, its span of time in the range
/// (from its first record in the range, or the start of the range where it was seen before, to the end of the range or now)
/// over its usual interval (the median distance of its records).
/// </param>
public sealed record FleetSummary(long Hosts, long Gpus, long Rows, IReadOnlyList<MetricAggregate> Metrics, double? Completeness);

/// <summary>How complete the records of a GPU are, hour by hour.</summary>
/// <param name="HostId">The host.</param>
/// <param name="GpuId">The GPU's index.</param>
/// <param name="Interval">The usual distance of its records in the range; null where there are too few.</param>
/// <param name="Hours">The hours that the range touches, from the GPU's first on; one without records has 0.</param>
public sealed record GpuCompleteness(string HostId, string GpuId, TimeSpan? Interval, IReadOnlyList<HourCompleteness> Hours);

/// <summary>An hour of a GPU.</summary>
/// <param name="Start">Its start.</param>
/// <param name="Rows">The records that arrived.</param>
/// <param name="Expected">The records that should have, from the GPU's first to now; null where the interval is not known.</param>
public sealed record HourCompleteness(DateTimeOffset Start, long Rows, double? Expected);

/// <summary>How far the store has read a partition.</summary>
public sealed record CheckpointRow(string Topic, int Partition, Guid TopicId, int LogEpoch, long NextOffset, long OwnerEpoch, string Owner, DateTimeOffset UpdatedAt);

/// <summary>Records that the store never got: offsets [<paramref name="FromOffset"/>, <paramref name="ToOffset"/>) of a log; -1 where unknown.</summary>
public sealed record GapRow(string Topic, int Partition, Guid TopicId, int LogEpoch, long FromOffset, long ToOffset, string Reason, DateTimeOffset DetectedAt);

/// <summary>Dead letters of one reason.</summary>
public sealed record DeadLetterCount(string Reason, long Records, DateTimeOffset Newest);

/// <summary>The store's own state.</summary>
/// <param name="Rows">Records in the store.</param>
/// <param name="DatabaseBytes">The size of the file with its write-ahead log.</param>
/// <param name="NewestRecord">The time of the newest record; null without any.</param>
/// <param name="HistoryRows">Records in the compressed history.</param>
/// <param name="HistoryBytes">What these records and their minutes take, by the mean size of the newest packs.</param>
/// <param name="Checkpoints">One for each partition.</param>
/// <param name="Gaps">The newest gaps, at most 100.</param>
/// <param name="DeadLetters">Counts by reason.</param>
/// <param name="UnfoldedSince">Since when, at least, the oldest record waits that is not in the history yet; null where none does.</param>
public sealed record StoreState(
    long Rows, long DatabaseBytes, DateTimeOffset? NewestRecord, long HistoryRows, long HistoryBytes,
    IReadOnlyList<CheckpointRow> Checkpoints, IReadOnlyList<GapRow> Gaps, IReadOnlyList<DeadLetterCount> DeadLetters, DateTimeOffset? UnfoldedSince);
