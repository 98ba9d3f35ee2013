using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Commands;

/// <summary>All topics.</summary>
internal sealed record TopicsAnswer(IReadOnlyList<TopicAnswer> Topics);

/// <summary>A topic; names are those of the gateway's <c>/api/v1/pipeline</c>.</summary>
internal sealed record TopicAnswer(
    string Topic,
    string TopicId,
    DateTimeOffset? CreatedAt,
    long Records,
    long Bytes,
    double AppendedPerSecond,
    IReadOnlyList<PartitionAnswer> Partitions)
{
    public static TopicAnswer Of(TopicDescription topic)
    {
        var partitions = topic.Partitions.Select(PartitionAnswer.Of).ToList();
        return new TopicAnswer(
            topic.Topic,
            Convert.ToHexStringLower(topic.TopicId.Span),
            Figures.AtOrNever(topic.CreatedUnixMs),
            partitions.Sum(partition => partition.Records),
            partitions.Sum(partition => partition.Bytes),
            partitions.Sum(partition => partition.AppendedPerSecond),
            partitions);
    }
}

/// <summary>A partition of a topic.</summary>
internal sealed record PartitionAnswer(
    int Partition,
    int LogEpoch,
    long LogStartOffset,
    long HighWatermark,
    long LogEndOffset,
    long Records,
    long Bytes,
    double AppendedPerSecond,
    DateTimeOffset? LastAppendAt,
    long ExpiredUnread)
{
    public static PartitionAnswer Of(PartitionDescription partition) => new(
        partition.Partition,
        partition.LogEpoch,
        partition.LogStartOffset,
        partition.HighWatermark,
        partition.LogEndOffset,
        partition.HighWatermark - partition.LogStartOffset,
        partition.Bytes,
        Math.Round(Figures.Finite(partition.AppendedPerSecond), 1),
        Figures.AtOrNever(partition.LastAppendUnixMs),
        partition.ExpiredUnread);
}

/// <summary>A topic that was deleted, with all that went with it.</summary>
internal sealed record TopicDeletedAnswer(string Topic, bool Deleted, int Partitions, long Records, IReadOnlyList<string> Groups);
