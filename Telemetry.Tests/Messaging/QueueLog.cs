using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Messaging;

/// <summary>What the log of a topic has now, read as an operator peeks at it.</summary>
internal static class QueueLog
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>How many records were appended so far; 0 while there is no topic.</summary>
    public static async Task<long> AppendedAsync(QueueConnection connection)
    {
        var topics = await connection.Admin.ListTopicsAsync(new ListTopicsRequest(), cancellationToken: Cancelled);
        return topics.Topics.SelectMany(topic => topic.Partitions).Sum(partition => partition.HighWatermark);
    }

    /// <summary>All batches of a topic, partition by partition; their offsets have to be dense.</summary>
    public static async Task<List<(int Partition, FetchedBatch Batch)>> ReadAsync(QueueConnection connection, string topicName)
    {
        var batches = new List<(int, FetchedBatch)>();
        var topic = await connection.Admin.DescribeTopicAsync(new DescribeTopicRequest { Topic = topicName }, cancellationToken: Cancelled);
        foreach (var partition in topic.Partitions)
        {
            var offset = partition.LogStartOffset;
            while (offset < partition.HighWatermark)
            {
                var peek = await connection.Admin.PeekAsync(
                    new PeekRequest { Topic = topicName, Partition = partition.Partition, Offset = offset, BatchesMax = 100 }, cancellationToken: Cancelled);
                Assert.NotEmpty(peek.Batches);
                foreach (var batch in peek.Batches)
                {
                    Assert.Equal(offset, batch.BaseOffset);
                    batches.Add((partition.Partition, batch));
                    offset += batch.RecordCount;
                }
            }
        }
        return batches;
    }
}
