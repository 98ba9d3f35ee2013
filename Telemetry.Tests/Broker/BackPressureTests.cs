using Telemetry.Broker;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class BackPressureTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_full_partition_refuses_what_no_group_has_read()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        await broker.Publish(20);
        var outcome = await broker.Publish(1);
        Assert.Equal(ErrorCode.PartitionFull, outcome.Error);
        Assert.Contains("it holds 20 records of at most 20", outcome.Message, StringComparison.Ordinal);
        Assert.Equal(0, broker.Partition.StartOffset);
    }

    [Fact]
    public async Task Without_any_group_nothing_is_dropped_before_its_ttl()
    {
        await using var broker = new BrokerUnderTest(records: 20, ttl: TimeSpan.FromMinutes(1));
        await broker.Publish(20);
        broker.Pass(TimeSpan.FromSeconds(59));
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish(1)).Error);
        broker.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(20, (await broker.Publish(1)).BaseOffset);
    }

    [Fact]
    public async Task A_full_partition_first_drops_what_every_group_has_read_and_no_more_than_it_needs()
    {
        await using var broker = new BrokerUnderTest(records: 40);
        broker.Drain(broker.Join("fast", "f"));
        broker.Drain(broker.Join("slow", "s"));
        for (var i = 0; i < 4; i++)
            await broker.Publish(10);
        broker.Commit("fast", "f", 40);
        broker.Commit("slow", "s", 25);
        Assert.Equal(0, broker.Partition.StartOffset); // kept until the room is needed

        Assert.Equal(40, (await broker.Publish(5)).BaseOffset);
        Assert.Equal(10, broker.Partition.StartOffset);
        Assert.Equal(45, (await broker.Publish(15)).BaseOffset);
        Assert.Equal(20, broker.Partition.StartOffset);
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish(10)).Error); // 20 to 30 is not read by the slow one
    }

    [Fact]
    public async Task A_group_that_divides_an_input_holds_no_records_back()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        broker.Drain(broker.Join("streamers", "s", shards: 16));
        broker.Drain(broker.Join("readers", "r"));
        await broker.Publish(20);
        broker.Commit("readers", "r", 20);
        Assert.Equal(ErrorCode.Ok, (await broker.Publish(20)).Error);
    }

    [Fact]
    public async Task A_waiting_publish_is_woken_by_a_commit()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        broker.Drain(broker.Join("g", "m"));
        await broker.Publish(20);
        var waiting = broker.Publish(5, Long);
        Assert.False(waiting.IsCompleted);
        broker.Commit("g", "m", 20);
        Assert.Equal(PublishOutcome.Appended(20), await waiting);
    }

    [Fact]
    public async Task A_waiting_publish_is_woken_by_expiry()
    {
        await using var broker = new BrokerUnderTest(records: 20, ttl: TimeSpan.FromSeconds(20));
        await broker.Publish(20);
        var waiting = broker.Publish(5, Long);
        broker.Pass(TimeSpan.FromSeconds(21));
        Assert.Equal(PublishOutcome.Appended(20), await waiting);
    }

    [Fact]
    public async Task A_waiting_publish_is_woken_when_the_group_that_held_records_back_is_deleted()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        broker.Drain(broker.Join("done", "m"));
        var gone = broker.Join("gone", "m");
        await broker.Publish(20);
        broker.Commit("done", "m", 20);
        var waiting = broker.Publish(5, Long);
        gone.Leave();
        Assert.False(waiting.IsCompleted);
        broker.Core.Groups.Delete("gone");
        Assert.Equal(PublishOutcome.Appended(20), await waiting);
    }

    [Fact]
    public async Task A_publish_waits_no_longer_than_it_was_told()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        await broker.Publish(20);
        var waiting = broker.Publish(5, TimeSpan.FromSeconds(2));
        broker.Pass(TimeSpan.FromMilliseconds(1999));
        Assert.False(waiting.IsCompleted);
        broker.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(ErrorCode.PartitionFull, (await waiting).Error);
    }

    [Fact]
    public async Task F26_a_wait_goes_by_monotonic_time()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        await broker.Publish(20);
        var waiting = broker.Publish(5, TimeSpan.FromSeconds(2));
        broker.Time.Jump = TimeSpan.FromHours(1);
        broker.Core.Tick();
        Assert.False(waiting.IsCompleted);
        broker.Time.Jump = TimeSpan.FromHours(-1);
        broker.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(ErrorCode.PartitionFull, (await waiting).Error);
    }

    [Fact]
    public async Task Waiting_publishes_are_appended_in_line()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        broker.Drain(broker.Join("g", "m"));
        await broker.Publish(20);
        var large = broker.Publish(15, Long);
        var small = broker.Publish(1, Long);
        var atOnce = broker.Publish(1);
        Assert.Equal(ErrorCode.PartitionFull, (await atOnce).Error); // no overtaking
        broker.Commit("g", "m", 20);
        Assert.Equal(20, (await large).BaseOffset);
        Assert.Equal(35, (await small).BaseOffset);
    }

    [Fact]
    public async Task Batches_of_a_producer_that_wait_are_not_out_of_order()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        broker.Drain(broker.Join("g", "m"));
        await broker.Publish(20);
        var epoch = await broker.Open("p");
        var first = broker.Publish("p", epoch, 0, wait: Long);
        var second = broker.Publish("p", epoch, 10, wait: Long);
        broker.Commit("g", "m", 20);
        Assert.Equal(20, (await first).BaseOffset);
        Assert.Equal(30, (await second).BaseOffset);
    }

    [Fact]
    public async Task A_publisher_that_gives_up_makes_way_for_those_behind_it()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        await broker.Publish(15);
        using var giveUp = new CancellationTokenSource();
        var large = broker.Publish(20, Long, giveUp);
        var small = broker.Publish(5, Long);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        Assert.Equal(15, (await small).BaseOffset);
    }

    [Fact]
    public async Task The_line_of_waiting_publishes_is_bounded()
    {
        await using var broker = new BrokerUnderTest(records: 20, limits: new BrokerLimits { WaitingMax = 2 });
        await broker.Publish(20);
        _ = broker.Publish(1, Long);
        _ = broker.Publish(1, Long);
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish(1, Long)).Error);
    }

    [Fact]
    public async Task F24_memory_is_bounded_in_bytes_over_all_partitions()
    {
        await using var broker = new BrokerUnderTest(records: 1000, partitions: 2, limits: new BrokerLimits { MemoryBytesMax = 10_000 });
        var payload = new byte[4000];
        foreach (var partition in broker.Topic.Partitions)
            Assert.Equal(ErrorCode.Ok, (await partition.Publish(new PublishBatch(payload, 1), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync()).Error);
        var refused = await broker.Partition.Publish(new PublishBatch(payload, 1), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync();
        Assert.Equal(ErrorCode.PartitionFull, refused.Error);

        // Room that another partition gives back is found.
        var waiting = broker.Partition.Publish(new PublishBatch(payload, 1), Long, TestContext.Current.CancellationToken).OutcomeAsync().AsTask();
        broker.Core.Memory.Add(-4000);
        broker.Core.Tick();
        Assert.Equal(ErrorCode.Ok, (await waiting).Error);
        await broker.Core.DeleteTopicAsync("telemetry");
        Assert.Equal(-4000, broker.Core.Memory.Used);
    }

    [Fact]
    public async Task A_deleted_topic_ends_the_wait()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        await broker.Publish(20);
        var waiting = broker.Publish(5, Long);
        await broker.Core.DeleteTopicAsync("telemetry");
        Assert.Equal(ErrorCode.UnknownTopic, (await waiting).Error);
    }
}
