using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

public class AddPartitionsTests
{
    [Fact]
    public async Task F34_more_partitions_lose_nothing_and_are_there_after_a_restart()
    {
        await using var first = new DurableBroker();
        var epoch = await first.Open("p");
        await first.Publish(DurableLogTests.Text(0), 3, "p", epoch, 0);
        var topic = first.Core.AddPartitions("telemetry", 3);
        Assert.Equal(3, topic.Partitions.Count);

        // The producer is not known there until it opens again; where it was known it goes on.
        Assert.Equal(ErrorCode.UnknownProducer, (await Publish(first, 2, epoch, 0)).Error);
        Assert.Equal(ErrorCode.Ok, (await Publish(first, 0, epoch, 3)).Error);
        var (next, snapshots) = await first.Finish(first.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken));
        Assert.Equal([4, 0, 0], snapshots.Select(snapshot => snapshot.NextSequence));
        Assert.Equal(ErrorCode.Ok, (await Publish(first, 2, next, 0)).Error);

        await using var second = first.Restart(new Random(1));
        Assert.Equal([4, 0, 1], second.Topic.Partitions.Select(partition => partition.HighWatermark));
        Assert.Equal(2, (await second.ReadAll()).Count);
    }

    [Fact]
    public async Task F34_groups_divide_what_the_topic_has_more()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var one = broker.Join("g", "one");
        var two = broker.Join("g", "two");
        var told = broker.Drain(one);
        await broker.Publish(10);
        broker.Drain(two);
        broker.Core.AddPartitions("telemetry", 6);
        one.Release([.. told.Concat(broker.Drain(one)).OfType<MemberEvent.Revoked>().SelectMany(revoked => revoked.Shards)]);
        broker.Drain(two);
        var shards = broker.Core.Groups.Get("g").Describe().Shards;
        Assert.Equal(6, shards.Count);
        Assert.Equal([3, 3], shards.GroupBy(shard => shard.MemberId).Select(of => of.Count()));
        // Unread records of the new partitions are kept and seen as lag, as those of the old ones.
        await broker.Topic.Partition(5).Publish(new PublishBatch(new byte[5], 5), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync();
        Assert.Equal(15, broker.Core.Groups.Get("g").Lags().Sum(lag => lag.Lag.Records));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1025)]
    public async Task Fewer_or_too_many_are_refused(int partitions)
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        Assert.Equal(2, broker.Topic.Partitions.Count);
        var refused = Assert.Throws<BrokerException>(() => broker.Core.AddPartitions("telemetry", partitions));
        Assert.Equal(ErrorCode.InvalidRequest, refused.Code);
        Assert.Equal($"partitions: {partitions} is not accepted: topic 'telemetry' has 2; expected 3 to 1024", refused.Message);
    }

    [Fact]
    public async Task F06_a_disk_without_room_adds_none_and_a_later_try_does()
    {
        await using var broker = new DurableBroker();
        Assert.Single(broker.Topic.Partitions);
        broker.Disk.Room = 10;
        Assert.Equal(ErrorCode.DiskFull, Assert.Throws<BrokerException>(() => broker.Core.AddPartitions("telemetry", 2)).Code);
        Assert.Single(broker.Topic.Partitions);
        broker.Disk.Room = null;
        Assert.Equal(2, broker.Core.AddPartitions("telemetry", 2).Partitions.Count);
    }

    private static Task<PublishOutcome> Publish(DurableBroker broker, int partition, int epoch, long sequence) => broker.Finish(broker.Topic.Partition(partition)
        .Publish(new PublishBatch(new byte[10], 1, "p", epoch, sequence), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync().AsTask());
}
