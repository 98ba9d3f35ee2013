using Telemetry.Broker;
using Telemetry.Broker.Log;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class CursorTests
{
    [Fact]
    public async Task An_offset_inside_a_batch_yields_the_whole_batch()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        await broker.Publish(10);
        var (_, batches) = await Read(broker, new ReadFrom.Offset(13, null));
        Assert.Equal(10, Assert.Single(batches).BaseOffset);
    }

    [Fact]
    public async Task F20_an_offset_of_another_log_starts_this_one_at_its_beginning_after_a_gap()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        var other = new LogIdentity(Guid.NewGuid(), 1);
        var (gap, _) = await Read(broker, new ReadFrom.Offset(5000, other));
        Assert.Equal(new ReadGap(5000, 0, GapReason.GapLogReplaced), gap);

        // Also where the number would be inside the new log: it means nothing there.
        var cursor = PartitionCursor.Open(broker.Partition, new ReadFrom.Offset(5, other));
        Assert.Equal(0, cursor.Next);
        Assert.Equal(new ReadGap(5, 0, GapReason.GapLogReplaced), await cursor.ReadAsync(1000, [], TestContext.Current.CancellationToken));
        var batches = new List<StoredBatch>();
        Assert.Null(await cursor.ReadAsync(1000, batches, TestContext.Current.CancellationToken));
        Assert.Equal(0, Assert.Single(batches).BaseOffset);
    }

    [Fact]
    public async Task F20_another_epoch_of_the_same_topic_is_another_log()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        var older = broker.Partition.Log with { LogEpoch = 0 };
        var (gap, _) = await Read(broker, new ReadFrom.Offset(5, older));
        Assert.Equal(GapReason.GapLogReplaced, gap!.Value.Reason);
    }

    [Fact]
    public async Task F20_an_offset_beyond_the_end_of_the_same_log_is_refused_at_once()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        var refused = Assert.Throws<BrokerException>(() => PartitionCursor.Open(broker.Partition, new ReadFrom.Offset(11, broker.Partition.Log)));
        Assert.Equal(ErrorCode.OffsetOutOfRange, refused.Code);
        Assert.Equal(10, PartitionCursor.Open(broker.Partition, new ReadFrom.Offset(10, broker.Partition.Log)).Next);
    }

    [Fact]
    public async Task Reading_begins_at_a_time_at_the_start_or_at_the_end()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        broker.Pass(TimeSpan.FromMinutes(1));
        var time = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await broker.Publish(10);
        Assert.Equal(10, PartitionCursor.Open(broker.Partition, new ReadFrom.AppendTime(time)).Next);
        Assert.Equal(0, PartitionCursor.Open(broker.Partition, new ReadFrom.AppendTime(0)).Next);
        Assert.Equal(20, PartitionCursor.Open(broker.Partition, new ReadFrom.AppendTime(time + 1)).Next);
        Assert.Equal(0, PartitionCursor.Open(broker.Partition, new ReadFrom.Earliest()).Next);
        Assert.Equal(20, PartitionCursor.Open(broker.Partition, new ReadFrom.Latest()).Next);
    }

    [Fact]
    public async Task F26_reading_from_a_time_skips_nothing_when_the_wall_clock_went_back()
    {
        await using var broker = new BrokerUnderTest();
        await broker.Publish(10);
        var time = broker.Time.GetUtcNow().ToUnixTimeMilliseconds() + 1;
        broker.Time.Jump = TimeSpan.FromHours(1);
        await broker.Publish(10);
        broker.Time.Jump = TimeSpan.FromHours(-1);
        await broker.Publish(10);
        broker.Time.Jump = TimeSpan.FromHours(2);
        await broker.Publish(10);
        Assert.Equal(10, PartitionCursor.Open(broker.Partition, new ReadFrom.AppendTime(time)).Next);
    }

    [Fact]
    public async Task Reading_stops_at_the_limit_of_bytes_but_yields_one_batch()
    {
        await using var broker = new BrokerUnderTest();
        for (var i = 0; i < 3; i++)
            await broker.Publish(10);
        var (_, one) = await Read(broker, new ReadFrom.Earliest(), bytesMax: 1);
        Assert.Single(one);
        var (_, two) = await Read(broker, new ReadFrom.Earliest(), bytesMax: 25);
        Assert.Equal(2, two.Count);
    }

    [Fact]
    public async Task A_reader_at_the_end_is_woken_by_an_append()
    {
        await using var broker = new BrokerUnderTest();
        var changed = broker.Partition.Changed;
        Assert.False(changed.IsCompleted);
        await broker.Publish(1);
        await changed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_deleted_topic_ends_readers()
    {
        await using var broker = new BrokerUnderTest();
        var cursor = PartitionCursor.Open(broker.Partition, new ReadFrom.Earliest());
        var changed = broker.Partition.Changed;
        await broker.Core.DeleteTopicAsync("telemetry");
        await changed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<BrokerException>(() => cursor.ReadAsync(1000, [], TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(ErrorCode.UnknownTopic, error.Code);
    }

    [Fact]
    public async Task Readers_and_the_writer_do_not_disturb_each_other()
    {
        const int batches = 20_000;
        await using var broker = new BrokerUnderTest(records: 500);
        broker.Drain(broker.Join("g", "m", sessionSeconds: 300));
        var partition = broker.Partition;
        var reading = Task.Run(async () =>
        {
            var cursor = PartitionCursor.Open(partition, new ReadFrom.Earliest());
            var into = new List<StoredBatch>();
            long expected = 0;
            while (expected < batches)
            {
                var changed = partition.Changed;
                into.Clear();
                Assert.Null(await cursor.ReadAsync(50, into, TestContext.Current.CancellationToken));
                foreach (var batch in into)
                    Assert.Equal(expected++, batch.BaseOffset);
                if (into.Count == 0)
                    await changed.WaitAsync(TestContext.Current.CancellationToken);
                else
                    broker.Commit("g", "m", expected);
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < batches; i++)
            Assert.Equal(i, (await partition.Publish(new PublishBatch(new byte[1], 1), TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken).OutcomeAsync()).BaseOffset);
        await reading.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    private static async Task<(ReadGap? Gap, List<StoredBatch> Batches)> Read(BrokerUnderTest broker, ReadFrom from, long bytesMax = 1000)
    {
        var batches = new List<StoredBatch>();
        var gap = await PartitionCursor.Open(broker.Partition, from).ReadAsync(bytesMax, batches, TestContext.Current.CancellationToken);
        return (gap, batches);
    }
}
