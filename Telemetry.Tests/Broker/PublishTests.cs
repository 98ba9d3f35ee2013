using Telemetry.Broker;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class PublishTests
{
    [Fact]
    public async Task Offsets_are_dense_and_count_records()
    {
        await using var broker = new BrokerUnderTest();
        Assert.Equal(0, (await broker.Publish(3)).BaseOffset);
        Assert.Equal(3, (await broker.Publish(5)).BaseOffset);
        Assert.Equal(8, (await broker.Publish(1)).BaseOffset);
        Assert.Equal((0, 9, 9), (broker.Partition.StartOffset, broker.Partition.HighWatermark, broker.Partition.EndOffset));
    }

    [Fact]
    public async Task What_is_read_is_the_memory_that_was_published()
    {
        await using var broker = new BrokerUnderTest();
        var payload = BrokerUnderTest.Payload(100);
        await broker.Partition.Publish(new PublishBatch(payload, 2), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync();
        var batches = new List<StoredBatch>();
        await broker.Partition.ReadAsync(1, 1000, batches, TestContext.Current.CancellationToken);
        Assert.True(Assert.Single(batches).Payload.Equals(payload.AsMemory()));
    }

    [Fact]
    public async Task F35_a_batch_with_more_records_than_a_partition_holds_is_refused_with_both_numbers()
    {
        await using var broker = new BrokerUnderTest(records: 100);
        var outcome = await broker.Publish(101, wait: TimeSpan.FromSeconds(30));
        Assert.Equal(ErrorCode.BatchTooLarge, outcome.Error);
        Assert.Contains("101", outcome.Message, StringComparison.Ordinal);
        Assert.Contains("100", outcome.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.Ok, (await broker.Publish(100)).Error);
    }

    [Fact]
    public async Task A_publish_is_acknowledged_only_when_the_storage_has_it()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var publish = broker.Publish(10);
        Assert.False(publish.IsCompleted);
        Assert.Equal(0, broker.Partition.HighWatermark);
        _storage!.Sync();
        Assert.Equal(PublishOutcome.Appended(0), await publish);
        Assert.Equal(10, broker.Partition.HighWatermark);
    }

    [Fact]
    public async Task What_comes_while_the_storage_is_busy_is_stored_as_one_group()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var publishes = Enumerable.Range(0, 4).Select(_ => broker.Publish(5)).ToList();
        Assert.Equal([5], _storage!.Groups);
        _storage.Sync();
        await publishes[0];
        await Eventually.Is(() => _storage.Groups.Count == 2);
        Assert.Equal([5, 15], _storage.Groups);
        _storage.Sync();
        Assert.Equal([0, 5, 10, 15], (await Task.WhenAll(publishes)).Select(outcome => outcome.BaseOffset));
    }

    [Fact]
    public async Task F06_what_the_storage_refuses_leaves_no_trace_and_the_partition_goes_on()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var epoch = await broker.Open("p");
        var first = broker.Publish("p", epoch, 0);
        var second = broker.Publish("p", epoch, 10);
        _storage!.Fail(fatal: false);
        Assert.Equal(ErrorCode.StorageFailed, (await first).Error);
        Assert.Equal(ErrorCode.StorageFailed, (await second).Error);
        Assert.Single(broker.StorageFailures);

        var again = broker.Publish("p", epoch, 0);
        _storage.Sync();
        Assert.Equal(PublishOutcome.Appended(0), await again);
        Assert.Equal(10, broker.Partition.HighWatermark);
    }

    [Fact]
    public async Task F05_after_a_failed_sync_the_partition_takes_no_more_writes()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var publish = broker.Publish();
        _storage!.Fail(fatal: true);
        Assert.Equal(ErrorCode.StorageFailed, (await publish).Error);
        Assert.True(broker.Partition.Failed);
        Assert.Equal(ErrorCode.StorageFailed, (await broker.Publish()).Error);
        Assert.Single(_storage.Groups);
    }

    [Fact]
    public async Task F10_a_duplicate_of_what_is_not_durable_yet_waits_with_it()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var epoch = await broker.Open("p");
        var first = broker.Publish("p", epoch, 0);
        var copy = broker.Publish("p", epoch, 0);
        Assert.False(copy.IsCompleted);
        _storage!.Sync();
        Assert.Equal(PublishOutcome.Appended(0), await first);
        Assert.Equal(PublishOutcome.Known(0), await copy);
        Assert.Equal([10], _storage.Groups);
    }

    [Fact]
    public async Task F11_a_producer_is_opened_only_when_what_its_older_epoch_has_under_way_is_decided()
    {
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => Storage(log));
        var epoch = await broker.Open("p");
        var underWay = broker.Publish("p", epoch, 0);
        var opening = broker.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken);
        Assert.False(opening.IsCompleted);
        _storage!.Sync();
        Assert.Equal(ErrorCode.Ok, (await underWay).Error);
        Assert.Equal(10, Assert.Single((await opening).Partitions).NextSequence);
    }

    [Fact]
    public async Task F10_what_the_log_knows_of_producers_is_taken_over_when_it_is_opened()
    {
        var known = new ProducerSnapshot("p", 7, 30, new byte[] { 1, 2 }, 20);
        await using var broker = new BrokerUnderTest(storages: (_, _, log) => _storage = new StorageWithSwitch(log) { Producers = [known] });
        Assert.Equal(PublishOutcome.Known(-1), await broker.Publish("p", 7, 20));
        var (epoch, partitions) = await broker.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken);
        Assert.True(epoch > 7);
        Assert.Equal(known with { Epoch = epoch }, Assert.Single(partitions));
    }

    [Fact]
    public async Task A_stopping_broker_refuses_publishes_and_ends_those_that_wait()
    {
        await using var broker = new BrokerUnderTest(records: 10);
        await broker.Publish(10);
        var waiting = broker.Publish(1, TimeSpan.FromSeconds(30));
        broker.Core.Stop();
        Assert.Equal(ErrorCode.ShuttingDown, (await waiting).Error);
        Assert.Equal(ErrorCode.ShuttingDown, (await broker.Publish(1)).Error);
        Assert.Equal(ErrorCode.ShuttingDown, Assert.Throws<BrokerException>(broker.Core.ThrowIfStopping).Code);
    }

    private StorageWithSwitch? _storage;

    private StorageWithSwitch Storage(Telemetry.Messaging.Client.LogIdentity log) => _storage = new StorageWithSwitch(log);
}
