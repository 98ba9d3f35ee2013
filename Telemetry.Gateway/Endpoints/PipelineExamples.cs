using Telemetry.Gateway.Answers;

namespace Telemetry.Gateway.Endpoints;

/// <summary>The topic, group and checkpoint that the documentation shows.</summary>
internal static class PipelineExamples
{
    public static readonly TopicState Topic = new()
    {
        Topic = "telemetry",
        CreatedAt = Examples.Time.AddDays(-3),
        Records = 9_050,
        Bytes = 271_500,
        AppendedPerSecond = 24.8,
        Partitions =
        [
            new PartitionState
            {
                Partition = 0,
                LogEpoch = 1,
                LogStartOffset = 422_250,
                HighWatermark = 431_300,
                LogEndOffset = 431_300,
                Bytes = 271_500,
                AppendedPerSecond = 24.8,
                LastAppendAt = Examples.Time,
                ExpiredUnread = 0,
            },
        ],
    };

    public static readonly GroupState Group = new()
    {
        Group = "collectors",
        Topic = "telemetry",
        DividesInput = false,
        Paused = false,
        Generation = 4,
        LagRecords = 50,
        LagSeconds = 1.2,
        Members = [new MemberState { MemberId = "collector-0-17", Client = "collector-0/17", JoinedAt = Examples.Time.AddHours(-5) }],
        Shards =
        [
            new ShardState
            {
                Shard = 0,
                MemberId = "collector-0-17",
                CommittedOffset = 431_250,
                CommittedAt = Examples.Time,
                LagRecords = 50,
                LagSeconds = 1.2,
                GapRecords = 0,
            },
        ],
    };

    public static readonly GroupLagHistory History = new()
    {
        Group = "collectors",
        Topic = "telemetry",
        Data = [new GroupLagStep { Timestamp = Examples.Time, LagRecords = 50, LagSeconds = 1.2, AppendedPerSecond = 24.8, CommittedPerSecond = 24.6 }],
        Partitions = [new PartitionLagHistory { Partition = 0, Data = [new PartitionLagStep { Timestamp = Examples.Time, LagRecords = 50, LagSeconds = 1.2 }] }],
    };

    public static readonly CheckpointState Checkpoint = new()
    {
        Topic = "telemetry",
        Partition = 0,
        LogEpoch = 1,
        NextOffset = 431_250,
        LagRecords = 50,
        Owner = "collector-0/17",
        OwnerEpoch = 3,
        UpdatedAt = Examples.Time,
    };
}
