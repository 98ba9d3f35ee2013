using System.Text.Json.Serialization;

namespace Telemetry.Gateway.Answers;

/// <summary>The state of the pipeline.</summary>
public sealed record PipelineAnswer
{
    /// <summary>The queue; not there where the gateway has no MESSAGEQUEUE_ADDR.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public QueueSection? Queue { get; init; }

    /// <summary>The store.</summary>
    public required StoreSection Store { get; init; }
}

/// <summary>The queue's topics and groups.</summary>
public sealed record QueueSection
{
    /// <summary>Whether the queue answered.</summary>
    public required bool Reachable { get; init; }

    /// <summary>Why it did not; null where it did.</summary>
    public required string? Reason { get; init; }

    /// <summary>Its topics, by name; empty where it did not answer.</summary>
    public required IReadOnlyList<TopicState> Topics { get; init; }

    /// <summary>Its consumer groups, by name; empty where it did not answer.</summary>
    public required IReadOnlyList<GroupState> Groups { get; init; }
}

/// <summary>A topic.</summary>
public sealed record TopicState
{
    /// <summary>Its name.</summary>
    public required string Topic { get; init; }

    /// <summary>When it was made; null where the queue does not say.</summary>
    public required DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Records in it now, in all partitions.</summary>
    public required long Records { get; init; }

    /// <summary>Bytes of its batches.</summary>
    public required long Bytes { get; init; }

    /// <summary>Records appended a second, over the last minute.</summary>
    public required double AppendedPerSecond { get; init; }

    /// <summary>Its partitions, by number.</summary>
    public required IReadOnlyList<PartitionState> Partitions { get; init; }
}

/// <summary>A partition of a topic.</summary>
public sealed record PartitionState
{
    /// <summary>Its number.</summary>
    public required int Partition { get; init; }

    /// <summary>The incarnation of its log.</summary>
    public required int LogEpoch { get; init; }

    /// <summary>The oldest offset that can be read.</summary>
    public required long LogStartOffset { get; init; }

    /// <summary>The offset after the newest acknowledged record.</summary>
    public required long HighWatermark { get; init; }

    /// <summary>The offset after the newest record.</summary>
    public required long LogEndOffset { get; init; }

    /// <summary>Bytes of its batches.</summary>
    public required long Bytes { get; init; }

    /// <summary>Records appended a second, over the last minute.</summary>
    public required double AppendedPerSecond { get; init; }

    /// <summary>When something was appended last; null for never.</summary>
    public required DateTimeOffset? LastAppendAt { get; init; }

    /// <summary>Records that grew too old before every group had read them.</summary>
    public required long ExpiredUnread { get; init; }
}

/// <summary>A group of consumers, or of streamers that divide an input.</summary>
public sealed record GroupState
{
    /// <summary>Its name.</summary>
    public required string Group { get; init; }

    /// <summary>Its topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Whether its shards are of an input rather than the topic's partitions; then it has no lag.</summary>
    public required bool DividesInput { get; init; }

    /// <summary>Whether its members get no shards until somebody resumes it; its lag grows meanwhile.</summary>
    public required bool Paused { get; init; }

    /// <summary>Raised with every change of the assignment.</summary>
    public required long Generation { get; init; }

    /// <summary>Records not yet committed, in all partitions.</summary>
    public required long LagRecords { get; init; }

    /// <summary>The age of the oldest record not yet committed; 0 without any.</summary>
    public required double LagSeconds { get; init; }

    /// <summary>Its members.</summary>
    public required IReadOnlyList<MemberState> Members { get; init; }

    /// <summary>Its shards, by number.</summary>
    public required IReadOnlyList<ShardState> Shards { get; init; }
}

/// <summary>A member of a group.</summary>
public sealed record MemberState
{
    /// <summary>Its id.</summary>
    public required string MemberId { get; init; }

    /// <summary>Its host and process.</summary>
    public required string Client { get; init; }

    /// <summary>When it joined; null where the queue does not say.</summary>
    public required DateTimeOffset? JoinedAt { get; init; }
}

/// <summary>A partition as a group reads it, or a shard of input.</summary>
public sealed record ShardState
{
    /// <summary>The partition, or the shard of input.</summary>
    public required int Shard { get; init; }

    /// <summary>The member that owns it; null for none.</summary>
    public required string? MemberId { get; init; }

    /// <summary>The offset that the group reads next; null where it has committed none.</summary>
    public required long? CommittedOffset { get; init; }

    /// <summary>When it was committed; null for never.</summary>
    public required DateTimeOffset? CommittedAt { get; init; }

    /// <summary>Records not yet committed.</summary>
    public required long LagRecords { get; init; }

    /// <summary>The age of the oldest record not yet committed.</summary>
    public required double LagSeconds { get; init; }

    /// <summary>Records that the group never got to read.</summary>
    public required long GapRecords { get; init; }
}

/// <summary>The store's own state.</summary>
public sealed record StoreSection
{
    /// <summary>ready, or waiting while no collector has made the store yet.</summary>
    public required string State { get; init; }

    /// <summary>Records in the store.</summary>
    public required long Rows { get; init; }

    /// <summary>The size of its file, with the write-ahead log.</summary>
    public required long DatabaseBytes { get; init; }

    /// <summary>The time of the newest record; null without any.</summary>
    public required DateTimeOffset? NewestRecordAt { get; init; }

    /// <summary>The compressed part of it.</summary>
    public required HistorySection History { get; init; }

    /// <summary>
    /// Acknowledged records that are not in the store yet, over all partitions that queue and store agree on; null where the
    /// queue is not known, or they agree on none.
    /// </summary>
    public required long? LagRecords { get; init; }

    /// <summary>How far it has read each partition.</summary>
    public required IReadOnlyList<CheckpointState> Checkpoints { get; init; }

    /// <summary>Records that it never got, newest first, at most 100.</summary>
    public required IReadOnlyList<GapState> Gaps { get; init; }

    /// <summary>Records that it could not read, by reason.</summary>
    public required IReadOnlyList<DeadLetterState> DeadLetters { get; init; }
}

/// <summary>The compressed part of the store.</summary>
public sealed record HistorySection
{
    /// <summary>Its records.</summary>
    public required long Rows { get; init; }

    /// <summary>About what they and the roll-ups of their minutes take.</summary>
    public required long Bytes { get; init; }
}

/// <summary>How far the store has read a partition.</summary>
public sealed record CheckpointState
{
    /// <summary>The topic.</summary>
    public required string Topic { get; init; }

    /// <summary>The partition.</summary>
    public required int Partition { get; init; }

    /// <summary>The incarnation of the log.</summary>
    public required int LogEpoch { get; init; }

    /// <summary>The offset that it reads next; null before the first record.</summary>
    public required long? NextOffset { get; init; }

    /// <summary>
    /// The queue's high watermark less the next offset: records on their way; null where the queue is not known or has
    /// another log.
    /// </summary>
    public required long? LagRecords { get; init; }

    /// <summary>The collector that writes it.</summary>
    public required string Owner { get; init; }

    /// <summary>Raised with every change of the owner.</summary>
    public required long OwnerEpoch { get; init; }

    /// <summary>When it was written last.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Records that the store never got: offsets [from_offset, to_offset).</summary>
public sealed record GapState
{
    /// <summary>The topic.</summary>
    public required string Topic { get; init; }

    /// <summary>The partition.</summary>
    public required int Partition { get; init; }

    /// <summary>The incarnation of the log.</summary>
    public required int LogEpoch { get; init; }

    /// <summary>The first offset; null where it is not known.</summary>
    public required long? FromOffset { get; init; }

    /// <summary>The offset after the last; null where it is not known.</summary>
    public required long? ToOffset { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>When it was noticed.</summary>
    public required DateTimeOffset DetectedAt { get; init; }
}

/// <summary>Records that could not be read, of one reason.</summary>
public sealed record DeadLetterState
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>How many.</summary>
    public required long Records { get; init; }

    /// <summary>The time of the newest.</summary>
    public required DateTimeOffset NewestAt { get; init; }
}

/// <summary>Whether the gateway can answer.</summary>
public sealed record HealthAnswer
{
    /// <summary>healthy or unhealthy.</summary>
    public required string Status { get; init; }

    /// <summary>ready, or waiting while no collector has made the store yet: then the answers are those of an empty store.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Store { get; init; }
}
