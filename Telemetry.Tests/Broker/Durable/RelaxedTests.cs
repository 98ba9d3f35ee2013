using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>FSYNC=duration: an append is acknowledged when it is written, and synced no later than that.</summary>
public class RelaxedTests
{
    private static readonly TimeSpan Fsync = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task F01_a_kill_of_the_broker_loses_nothing_that_was_acknowledged()
    {
        await using var first = new DurableBroker(fsync: Fsync);
        await first.Publish(DurableLogTests.Text(0), records: 2);
        var syncs = first.Disk.Syncs; // of the topic, which is new
        for (var i = 1; i < 5; i++)
            await first.Publish(DurableLogTests.Text(i), records: 2);
        Assert.Equal(syncs, first.Disk.Syncs);
        await using var second = first.Restart();
        DurableLogTests.AssertHolds(await second.ReadAll(), 5, recordsEach: 2);
        // And from then on not even a power cut does.
        await using var third = second.Restart(new Random(1));
        DurableLogTests.AssertHolds(await third.ReadAll(), 5, recordsEach: 2);
    }

    [Fact]
    public async Task F07_a_power_cut_loses_no_more_than_what_was_acknowledged_since_the_last_sync()
    {
        for (var seed = 1; seed <= 50; seed++)
        {
            await using var first = new DurableBroker(fsync: Fsync);
            await first.Publish(DurableLogTests.Text(0), records: 2);
            first.Time.Advance(Fsync);
            first.Committer.RunOnce();
            for (var i = 1; i < 4; i++)
                await first.Publish(DurableLogTests.Text(i), records: 2);
            await using var second = first.Restart(new Random(seed));
            var left = await second.ReadAll();
            Assert.InRange(left.Count, 1, 4);
            DurableLogTests.AssertHolds(left, left.Count, recordsEach: 2);
            Assert.Equal(left.Count * 2, (await second.Publish(DurableLogTests.Text(left.Count), records: 2)).BaseOffset);
            // Who has read what is gone is told.
            var gap = await PartitionCursor.Open(second.Partition, new ReadFrom.Offset(8, first.Partition.Log)).ReadAsync(1000, [], TestContext.Current.CancellationToken);
            Assert.Equal(left.Count == 4 ? null : new ReadGap(8, left.Count * 2, GapReason.GapLogReplaced), gap);
        }
    }

    [Fact]
    public async Task The_sync_is_not_put_off_by_work_that_comes_all_the_time()
    {
        await using var broker = new DurableBroker(fsync: Fsync);
        await broker.Publish(DurableLogTests.Text(0));
        broker.Time.Advance(Fsync);
        broker.Committer.RunOnce();
        Assert.Equal(Fsync, broker.Committer.UntilSync());
        var syncs = broker.Disk.Syncs;

        broker.Time.Advance(0.9 * Fsync);
        await broker.Publish(DurableLogTests.Text(1));
        Assert.Equal(0.1 * Fsync, broker.Committer.UntilSync());
        broker.Time.Advance(broker.Committer.UntilSync());
        broker.Committer.RunOnce();
        Assert.Equal(syncs + 1, broker.Disk.Syncs);
    }

    [Fact]
    public async Task Without_it_every_publish_is_synced_and_no_round_is_due_by_itself()
    {
        await using var broker = new DurableBroker();
        await broker.Publish(DurableLogTests.Text(0));
        var syncs = broker.Disk.Syncs;
        await broker.Publish(DurableLogTests.Text(1));
        Assert.Equal(syncs + 1, broker.Disk.Syncs);
        Assert.Equal(Timeout.InfiniteTimeSpan, broker.Committer.UntilSync());
    }
}
