namespace Telemetry.Storage;

/// <summary>
/// A place in one incarnation of a partition's log. Offsets of different topics cannot be compared; those of two epochs of a
/// topic are the same up to where the queue says that the two part.
/// </summary>
/// <param name="TopicId">New each time the topic is made.</param>
/// <param name="LogEpoch">Raised each time the log is opened.</param>
/// <param name="NextOffset">The first record that is not in the store.</param>
public readonly record struct LogPosition(Guid TopicId, int LogEpoch, long NextOffset)
{
    /// <summary>Whether both are places in the same incarnation.</summary>
    public bool IsSameLog(LogPosition other) => TopicId == other.TopicId && LogEpoch == other.LogEpoch;
}

/// <summary>The right to write a partition, until another takes it.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="OwnerEpoch">Goes with every write; a write of an older epoch is fenced.</param>
/// <param name="Position">How far the store is; null before the first record.</param>
public sealed record PartitionLease(string Topic, int Partition, long OwnerEpoch, LogPosition? Position);

/// <summary>Records that could not be stored.</summary>
/// <param name="TopicId">The log's topic.</param>
/// <param name="LogEpoch">The log's epoch.</param>
/// <param name="Offset">The first of them.</param>
/// <param name="Records">How many.</param>
/// <param name="Reason">A word for counting, as <c>undecodable</c>.</param>
/// <param name="Detail">A sentence for people.</param>
/// <param name="Payload">The batch; only its first <see cref="PayloadBytesMax"/> bytes are kept.</param>
public sealed record DeadLetter(
    Guid TopicId, int LogEpoch, long Offset, long Records, string Reason, string Detail, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The most bytes of a payload that are kept.</summary>
    public const int PayloadBytesMax = 64 * 1024;
}

/// <summary>Records that never came: the offsets [<paramref name="FromOffset"/>, <paramref name="ToOffset"/>) of a log; -1 is unknown.</summary>
public sealed record LogGap(Guid TopicId, int LogEpoch, long FromOffset, long ToOffset, string Reason);

/// <summary>
/// One partition's part of a transaction: what was read between two places of its log. It takes effect as a whole, and
/// only if the store still stands at <see cref="From"/> and the writer still owns the partition.
/// </summary>
public sealed record PartitionWrite
{
    /// <summary>The topic.</summary>
    public required string Topic { get; init; }

    /// <summary>The partition.</summary>
    public required int Partition { get; init; }

    /// <summary>The lease's epoch.</summary>
    public required long OwnerEpoch { get; init; }

    /// <summary>Where the store stands; null before the first record.</summary>
    public required LogPosition? From { get; init; }

    /// <summary>
    /// Where it stands afterwards: further in the same log or in a later epoch of its topic, or in another log, which replaced
    /// it. A move to a log that does not go on with the numbers needs a gap among <see cref="Gaps"/> that says what was given up.
    /// </summary>
    public required LogPosition To { get; init; }

    /// <summary>The rows, in the order of their offsets.</summary>
    public IReadOnlyList<RowBlock> Rows { get; init; } = [];

    /// <summary>Records that could not be stored.</summary>
    public IReadOnlyList<DeadLetter> DeadLetters { get; init; } = [];

    /// <summary>Records that never came.</summary>
    public IReadOnlyList<LogGap> Gaps { get; init; } = [];

    internal void Validate()
    {
        if (From is { } from)
        {
            if (from.IsSameLog(To) && To.NextOffset < from.NextOffset)
                throw new ArgumentException($"{Topic}/{Partition}: cannot go back from offset {from.NextOffset} to {To.NextOffset}");
            var goesOn = from.TopicId == To.TopicId && To.NextOffset >= from.NextOffset;
            if (!from.IsSameLog(To) && !goesOn && Gaps.Count == 0)
                throw new ArgumentException($"{Topic}/{Partition}: another log without a gap that says so");
        }
        ArgumentOutOfRangeException.ThrowIfNegative(To.NextOffset);
    }
}

/// <summary>Values that were left out of their rows.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Reason"><see cref="TooManyMetrics"/>, <see cref="BadName"/> or <see cref="NotFinite"/>.</param>
/// <param name="Values">How many.</param>
public sealed record RefusedValues(string Metric, string Reason, long Values)
{
    /// <summary>The store has as many metrics as it may have.</summary>
    public const string TooManyMetrics = "too_many_metrics";

    /// <summary>The name is not one of <c>[a-z_][a-z0-9_]{0,63}</c>, or is one of the store's own.</summary>
    public const string BadName = "metric_name";

    /// <summary>Infinity.</summary>
    public const string NotFinite = "not_finite";
}

/// <summary>What a transaction did.</summary>
/// <param name="Rows">Rows written.</param>
/// <param name="Fenced">The parts that contributed nothing, because the store stands elsewhere or has another owner: indices into the parts.</param>
/// <param name="Refused">Values left out.</param>
public sealed record WriteResult(long Rows, IReadOnlyList<int> Fenced, IReadOnlyList<RefusedValues> Refused);
