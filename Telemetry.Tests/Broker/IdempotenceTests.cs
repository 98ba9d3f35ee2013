using Telemetry.Broker;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class IdempotenceTests
{
    [Fact]
    public async Task F10_a_batch_that_comes_again_gets_its_first_offset_and_is_not_appended_twice()
    {
        await using var broker = new BrokerUnderTest();
        var epoch = await broker.Open("p");
        for (var i = 0; i < 5; i++)
            Assert.Equal(PublishOutcome.Appended(i * 10), await broker.Publish("p", epoch, i * 10));
        for (var i = 0; i < 5; i++)
            Assert.Equal(PublishOutcome.Known(i * 10), await broker.Publish("p", epoch, i * 10));
        Assert.Equal(50, broker.Partition.HighWatermark);
    }

    [Fact]
    public async Task F10_an_old_duplicate_is_recognised_without_its_offset()
    {
        await using var broker = new BrokerUnderTest();
        var epoch = await broker.Open("p");
        for (var i = 0; i <= ProducerState.RememberedBatches; i++)
            await broker.Publish("p", epoch, i, records: 1);
        Assert.Equal(PublishOutcome.Known(-1), await broker.Publish("p", epoch, 0, records: 1));
        Assert.Equal(PublishOutcome.Known(1), await broker.Publish("p", epoch, 1, records: 1));
    }

    [Fact]
    public async Task F10_a_duplicate_is_answered_although_the_partition_is_full()
    {
        await using var broker = new BrokerUnderTest(records: 10);
        var epoch = await broker.Open("p");
        await broker.Publish("p", epoch, 0, records: 10);
        Assert.Equal(PublishOutcome.Known(0), await broker.Publish("p", epoch, 0, records: 10));
    }

    [Fact]
    public async Task F11_the_older_epoch_is_fenced()
    {
        await using var broker = new BrokerUnderTest();
        var older = await broker.Open("p");
        await broker.Publish("p", older, 0);
        var newer = await broker.Open("p");
        Assert.True(newer > older);
        Assert.Equal(ErrorCode.ProducerFenced, (await broker.Publish("p", older, 10)).Error);
        Assert.Equal(ErrorCode.ProducerFenced, (await broker.Publish("p", older, 0)).Error);
        Assert.Equal(ErrorCode.Ok, (await broker.Publish("p", newer, 10)).Error);
    }

    [Fact]
    public async Task F11_a_publish_of_the_older_epoch_that_waits_for_room_is_fenced()
    {
        await using var broker = new BrokerUnderTest(records: 10);
        var reader = broker.Join("g", "m");
        broker.Drain(reader);
        var older = await broker.Open("p");
        await broker.Publish("p", older, 0, records: 10);
        var waiting = broker.Publish("p", older, 10, records: 5, wait: TimeSpan.FromSeconds(30));
        await broker.Open("p");
        broker.Commit("g", "m", 10);
        Assert.Equal(ErrorCode.ProducerFenced, (await waiting).Error);
    }

    [Theory]
    [InlineData(11, "leaves a gap")]
    [InlineData(5, "is partly in the log")]
    public async Task F12_a_sequence_that_is_not_the_next_one_is_refused(long sequence, string why)
    {
        await using var broker = new BrokerUnderTest();
        var epoch = await broker.Open("p");
        await broker.Publish("p", epoch, 0);
        var outcome = await broker.Publish("p", epoch, sequence);
        Assert.True(outcome.Error == ErrorCode.OutOfOrderSequence, why);
        Assert.Contains($"sequence {sequence}", outcome.Message, StringComparison.Ordinal);
        Assert.Contains("the log has 10", outcome.Message, StringComparison.Ordinal);
        Assert.Equal(10, broker.Partition.HighWatermark);
    }

    [Fact]
    public async Task F12_after_a_refused_batch_the_later_ones_are_refused_too()
    {
        await using var broker = new BrokerUnderTest(records: 20);
        var epoch = await broker.Open("p");
        await broker.Publish("p", epoch, 0, records: 15);
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish("p", epoch, 15, records: 10)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequence, (await broker.Publish("p", epoch, 25, records: 1)).Error);
    }

    [Fact]
    public async Task A_producer_that_was_not_opened_is_unknown()
    {
        await using var broker = new BrokerUnderTest();
        Assert.Equal(ErrorCode.UnknownProducer, (await broker.Publish("p", 1, 0)).Error);
        var epoch = await broker.Open("p");
        Assert.Equal(ErrorCode.UnknownProducer, (await broker.Publish("p", epoch + 1, 0)).Error);
    }

    [Fact]
    public async Task A_restarted_producer_gets_its_sequence_and_source_position_back()
    {
        await using var broker = new BrokerUnderTest();
        var epoch = await broker.Open("p");
        await broker.Publish("p", epoch, 0, position: [1, 2, 3]);
        await broker.Publish("p", epoch, 10, records: 7);
        var (_, partitions) = await broker.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken);
        var state = Assert.Single(partitions);
        Assert.Equal((17, 10), (state.NextSequence, state.PositionSequence));
        Assert.Equal(new byte[] { 1, 2, 3 }, state.SourcePosition.ToArray());
    }

    [Fact]
    public async Task F21_a_topic_made_again_has_a_new_id_and_no_memory_of_producers()
    {
        await using var broker = new BrokerUnderTest();
        var epoch = await broker.Open("p");
        await broker.Publish("p", epoch, 0);
        var id = broker.Topic.Id;
        await broker.Core.DeleteTopicAsync("telemetry");

        Assert.NotEqual(id, broker.Topic.Id);
        Assert.Equal(ErrorCode.UnknownProducer, (await broker.Publish("p", epoch, 0)).Error);
        var again = await broker.Open("p");
        Assert.True(again > epoch);
        Assert.Equal(ErrorCode.ProducerFenced, (await broker.Publish("p", epoch, 0)).Error);
        Assert.Equal(PublishOutcome.Appended(0), await broker.Publish("p", again, 0));
    }

    [Fact]
    public async Task F11_an_epoch_from_before_a_restart_is_not_given_again()
    {
        await using var before = new BrokerUnderTest();
        var older = await before.Open("p");
        before.Time.Advance(TimeSpan.FromSeconds(5));
        await using var after = new BrokerUnderTest(time: before.Time);
        Assert.True(await after.Open("p") > older);
    }

    [Fact]
    public async Task Producers_that_were_not_used_for_the_ttl_make_way_for_new_ones()
    {
        var limits = new BrokerLimits { ProducersMax = 2 };
        await using var broker = new BrokerUnderTest(ttl: TimeSpan.FromHours(1), limits: limits);
        await broker.Open("a");
        broker.Pass(TimeSpan.FromMinutes(40));
        await broker.Open("b");
        var refused = await Assert.ThrowsAsync<BrokerException>(() => broker.Open("c"));
        Assert.Equal(ErrorCode.PartitionFull, refused.Code);
        broker.Pass(TimeSpan.FromMinutes(20));
        await broker.Open("c");
        Assert.Equal(0, broker.Partition.ProducerEpoch("a"));
        Assert.NotEqual(0, broker.Partition.ProducerEpoch("b"));
    }
}
