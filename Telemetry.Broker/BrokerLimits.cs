using Telemetry.Messaging.Records;

namespace Telemetry.Broker;

/// <summary>The broker's bounds that are not settings. Everything that a client can make the broker keep has one.</summary>
internal sealed record BrokerLimits
{
    /// <summary>The most bytes of a batch.</summary>
    public const int BatchBytesMax = RecordBatchLimits.BytesMax;

    /// <summary>The most bytes of a source position.</summary>
    public const int SourcePositionBytesMax = 4096;

    /// <summary>The most partitions of a topic.</summary>
    public const int PartitionsMax = 1024;

    /// <summary>The most shards of an input that a group divides.</summary>
    public const int ShardsMax = 16_384;

    /// <summary>The longest that a publish may wait for room.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    /// <summary>The shortest and longest session and rebalance timeouts, and what 0 means.</summary>
    public static readonly TimeSpan TimeoutMin = TimeSpan.FromMilliseconds(500), TimeoutMax = TimeSpan.FromMinutes(5), TimeoutDefault = TimeSpan.FromSeconds(10);

    /// <summary>The most topics.</summary>
    public int TopicsMax { get; init; } = 1_000;

    /// <summary>The most partitions of all topics together.</summary>
    public int PartitionsTotalMax { get; init; } = 16_384;

    /// <summary>The most groups, with and without members.</summary>
    public int GroupsMax { get; init; } = 1_000;

    /// <summary>The most members of a group.</summary>
    public int MembersMax { get; init; } = 1_000;

    /// <summary>
    /// Of how many partitions it is kept how far behind their groups were, in all groups together (60 KiB each): of groups beyond
    /// that, in the order of their names, it is not.
    /// </summary>
    public int LagPartitionsMax { get; init; } = 1_024;

    /// <summary>The most points of lag in an answer: so that it is no larger than a client with default limits can receive.</summary>
    public int LagPointsMax { get; init; } = 50_000;

    /// <summary>The most producer ids that a topic remembers.</summary>
    public int ProducersMax { get; init; } = 65_536;

    /// <summary>The most publishes that wait for room in one partition; a further one is refused at once.</summary>
    public int WaitingMax { get; init; } = 1_024;

    /// <summary>
    /// The most bytes of batches in memory, in all partitions together: half of what the process may use (a container's
    /// limit counts). Beyond it every partition counts as full, whatever MAX_MESSAGES_PER_PARTITION says.
    /// </summary>
    public long MemoryBytesMax { get; init; } = Math.Max(64L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>The most bytes on their way to the disk: beyond it publishers wait as for a full partition.</summary>
    public long UnderWayBytesMax { get; init; } = 128L << 20;

    /// <summary>A segment of the log that has reached so many bytes is followed by a new one.</summary>
    public long SegmentBytesMax { get; init; } = 64L << 20;
}
