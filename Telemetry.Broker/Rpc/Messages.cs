using Google.Protobuf;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>Turns what the core has into messages of queue.proto, and back. Payloads are wrapped, never copied.</summary>
internal static class Messages
{
    public static LogId ToMessage(this LogIdentity log) => new()
    {
        TopicId = TopicId(log.TopicId),
        LogEpoch = log.LogEpoch,
    };

    /// <summary>A log's identity; null where none was given.</summary>
    /// <exception cref="BrokerException">The topic id is not 16 bytes.</exception>
    public static LogIdentity? ToIdentity(this LogId? log, string field)
    {
        if (log is null)
            return null;
        return log.TopicId.Length == 16
            ? new LogIdentity(new Guid(log.TopicId.Span, bigEndian: true), log.LogEpoch)
            : throw BrokerException.Invalid($"{field}.topic_id: has {log.TopicId.Length} bytes; expected 16");
    }

    public static FetchedBatch ToMessage(this StoredBatch batch) => new()
    {
        BaseOffset = batch.BaseOffset,
        RecordCount = batch.RecordCount,
        AppendTimeUnixMs = batch.AppendTimeUnixMs,
        Batch = UnsafeByteOperations.UnsafeWrap(batch.Payload),
    };

    public static ProducerPartition ToMessage(this ProducerSnapshot producer, PartitionLog partition) => new()
    {
        Partition = partition.Partition,
        Log = partition.Log.ToMessage(),
        NextSequence = producer.NextSequence,
        SourcePosition = UnsafeByteOperations.UnsafeWrap(producer.SourcePosition),
        PositionSequence = producer.PositionSequence,
    };

    public static CoordinatorMessage ToMessage(this MemberEvent next)
    {
        switch (next)
        {
            case MemberEvent.Joined joined:
                return new CoordinatorMessage
                {
                    Joined = new Joined { MemberId = joined.MemberId, SessionTimeoutMs = (int)joined.SessionTimeout.TotalMilliseconds, Shards = joined.Shards },
                };
            case MemberEvent.Assigned assigned:
                var assign = new Assign { Generation = assigned.Generation };
                assign.Assignments.AddRange(assigned.Shards.Select(shard => new Assignment
                {
                    Shard = shard.Shard,
                    CommittedOffset = shard.Committed,
                    Log = shard.Log?.ToMessage(),
                }));
                return new CoordinatorMessage { Assign = assign };
            case MemberEvent.Revoked revoked:
                var revoke = new Revoke { DeadlineMs = (int)revoked.Deadline.TotalMilliseconds };
                revoke.Shards.AddRange(revoked.Shards);
                return new CoordinatorMessage { Revoke = revoke };
            case MemberEvent.Fenced fenced:
                return new CoordinatorMessage { Fenced = new Fenced { Error = fenced.Error, Message = fenced.Message } };
            case MemberEvent.AllFinished:
                return new CoordinatorMessage { AllFinished = new AllFinished() };
            default:
                return new CoordinatorMessage { Heartbeat = new Heartbeat() };
        }
    }

    public static TopicDescription ToMessage(this Topic topic)
    {
        var description = new TopicDescription { Topic = topic.Name, TopicId = TopicId(topic.Id), CreatedUnixMs = topic.CreatedUnixMs };
        description.Partitions.AddRange(topic.Partitions.Select(partition => new PartitionDescription
        {
            Partition = partition.Partition,
            LogEpoch = partition.Log.LogEpoch,
            LogStartOffset = partition.StartOffset,
            HighWatermark = partition.HighWatermark,
            LogEndOffset = partition.EndOffset,
            Bytes = partition.Bytes,
            LastAppendUnixMs = partition.LastAppendUnixMs,
            AppendedPerSecond = partition.AppendedPerSecond(),
            ExpiredUnread = partition.ExpiredUnread,
        }));
        return description;
    }

    public static GroupDescription ToMessage(this GroupStatus group)
    {
        var description = new GroupDescription { Group = group.Group, Topic = group.Topic, DividesInput = group.DividesInput, Generation = group.Generation, Paused = group.Paused };
        description.Members.AddRange(group.Members.Select(member => new MemberDescription
        {
            MemberId = member.MemberId,
            Client = member.Client,
            JoinedUnixMs = member.JoinedUnixMs,
        }));
        description.Shards.AddRange(group.Shards.Select(shard => new ShardDescription
        {
            Shard = shard.Shard,
            MemberId = shard.MemberId,
            CommittedOffset = shard.Committed,
            LagRecords = shard.Lag.Records,
            LagSeconds = shard.Lag.Seconds,
            CommittedUnixMs = shard.CommittedUnixMs,
            GapRecords = shard.GapRecords,
        }));
        return description;
    }

    public static Telemetry.Messaging.V1.OffsetPoint ToMessage(this Log.OffsetPoint point) => new() { Shard = point.Shard, UnixMs = point.UnixMs, CommittedOffset = point.Offset };

    /// <summary>A moment as a point for each partition.</summary>
    public static IEnumerable<LagPoint> ToMessages(this LagMoment moment) => moment.Partitions.Select((partition, number) => new LagPoint
    {
        Partition = number,
        UnixMs = moment.UnixMs,
        HighWatermark = partition.HighWatermark,
        CommittedOffset = partition.Committed,
        LagRecords = partition.Records,
        LagSeconds = partition.Seconds,
    });

    private static ByteString TopicId(Guid id) => UnsafeByteOperations.UnsafeWrap(id.ToByteArray(bigEndian: true));
}
