using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>A disk that takes nothing for a while: the committer does not run.</summary>
public class SlowDiskTests
{
    private const int Bytes = 10_000;

    [Fact]
    public async Task F24_what_is_on_its_way_to_a_slow_disk_is_bounded_and_publishers_wait()
    {
        await using var broker = new DurableBroker(underWayBytes: 5 * Bytes, partitions: 2);
        var answers = new List<PublishTicket>();
        for (var i = 0; i < 20; i++)
            answers.Add(Publish(broker, 0, TimeSpan.FromSeconds(30)));
        Assert.Equal(16, broker.Partition.WaitingCount);
        Assert.InRange(broker.Core.Settings.UnderWay.Used, 4 * Bytes, 5 * Bytes);

        // Who does not wait is told; another partition may begin, though not do more.
        var refused = await Publish(broker, 0, TimeSpan.Zero).OutcomeAsync();
        Assert.Equal(ErrorCode.PartitionFull, refused.Error);
        Assert.Contains("waits for the disk", refused.Message, StringComparison.Ordinal);
        answers.Add(Publish(broker, 1, TimeSpan.Zero));
        Assert.Equal(ErrorCode.PartitionFull, (await Publish(broker, 1, TimeSpan.Zero).OutcomeAsync()).Error);

        // A deadline is a deadline, whatever the disk does.
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        broker.Core.Tick();
        var late = answers.Where(answer => answer.IsCompleted).ToList();
        Assert.Equal(16, late.Count);
        foreach (var answer in late)
            Assert.Equal(ErrorCode.PartitionFull, (await answer.OutcomeAsync()).Error);

        // When the disk is back all that was taken is acknowledged, and there is room again.
        foreach (var answer in answers.Except(late))
            Assert.Equal(ErrorCode.Ok, (await broker.Finish(answer.OutcomeAsync().AsTask())).Error);
        Assert.Equal((4, 1), (broker.Topic.Partition(0).HighWatermark, broker.Topic.Partition(1).HighWatermark));
        Assert.Equal(ErrorCode.Ok, (await broker.Finish(Publish(broker, 0, TimeSpan.Zero).OutcomeAsync().AsTask())).Error);
        Assert.Equal(0, broker.Core.Settings.UnderWay.Used);
    }

    [Fact]
    public async Task F24_those_who_wait_go_on_as_the_disk_does_in_their_order()
    {
        await using var broker = new DurableBroker(underWayBytes: 3 * Bytes);
        var answers = Enumerable.Range(0, 12).Select(_ => Publish(broker, 0, TimeSpan.FromSeconds(30))).ToList();
        for (var i = 0; i < answers.Count; i++)
            Assert.Equal(i, (await broker.Finish(answers[i].OutcomeAsync().AsTask())).BaseOffset);
        Assert.Equal(0, broker.Core.Settings.UnderWay.Used);
    }

    [Fact]
    public async Task F05_a_sync_that_fails_gives_back_what_was_under_way()
    {
        await using var broker = new DurableBroker(underWayBytes: 3 * Bytes);
        var answers = Enumerable.Range(0, 6).Select(_ => Publish(broker, 0, TimeSpan.FromSeconds(30))).ToList();
        broker.Disk.FailSync = true;
        foreach (var answer in answers)
            Assert.Equal(ErrorCode.StorageFailed, (await broker.Finish(answer.OutcomeAsync().AsTask())).Error);
        Assert.Equal(0, broker.Core.Settings.UnderWay.Used);
    }

    private static PublishTicket Publish(DurableBroker broker, int partition, TimeSpan wait) => broker.Topic.Partition(partition)
        .Publish(new PublishBatch(new byte[Bytes], 1), wait, TestContext.Current.CancellationToken);
}
