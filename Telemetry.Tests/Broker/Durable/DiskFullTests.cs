using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>What happens at the end of the room: the disk's, and a partition's own.</summary>
public class DiskFullTests
{
    [Fact]
    public async Task F06_a_full_disk_refuses_and_goes_on_when_there_is_room()
    {
        await using var first = new DurableBroker();
        await first.Publish(DurableLogTests.Text(0));
        first.Disk.Room = 50;
        Assert.Equal(ErrorCode.DiskFull, (await first.Publish(DurableLogTests.Text(1))).Error);
        first.Disk.Room = null;
        Assert.Equal(1, (await first.Publish(DurableLogTests.Text(1))).BaseOffset);
        await using var second = first.Restart();
        DurableLogTests.AssertHolds(await second.ReadAll(), 2, recordsEach: 1);
        Assert.Equal(0, second.Report.TornBytes + second.Report.DamagedRecords);
    }

    [Fact]
    public async Task F06_a_full_disk_gets_back_what_every_group_has_read()
    {
        await using var broker = new DurableBroker();
        var session = broker.Core.Groups.Join("g", "telemetry", 0, new("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        var payload = new byte[40_000];
        for (var i = 0; i < 6; i++)
            await broker.Publish(payload);
        session.Group.CommitAll(5);
        broker.Disk.Room = 10_000;
        Assert.Equal(ErrorCode.DiskFull, (await broker.Publish(payload)).Error);
        // What stands in one run goes together.
        Assert.Equal(4, broker.Partition.StartOffset);
        Assert.Equal(6, (await broker.Publish(payload)).BaseOffset);
    }

    [Fact]
    public async Task F06_a_broker_starts_on_a_full_disk_and_lets_groups_read()
    {
        await using var first = new DurableBroker();
        await first.Publish(DurableLogTests.Text(0));
        first.Disk.Room = 0;
        await using var second = first.Restart();
        second.Disk.Room = 0;
        DurableLogTests.AssertHolds(await second.ReadAll(), 1, recordsEach: 1);
        Assert.Equal(ErrorCode.DiskFull, (await second.Publish(DurableLogTests.Text(1))).Error);
        second.Disk.Room = null;
        Assert.Equal(1, (await second.Publish(DurableLogTests.Text(1))).BaseOffset);
    }

    [Fact]
    public async Task A_partition_that_holds_as_many_bytes_as_it_may_drops_what_is_read_and_then_refuses()
    {
        await using var broker = new DurableBroker(megabytes: 1);
        var session = broker.Core.Groups.Join("g", "telemetry", 0, new("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        var payload = new byte[100_000];
        for (var i = 0; i < 10; i++)
            Assert.Equal(ErrorCode.Ok, (await broker.Publish(payload)).Error);
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish(payload)).Error);
        session.Group.CommitAll(2);
        Assert.Equal(10, (await broker.Publish(payload)).BaseOffset);
        Assert.Equal(11, (await broker.Publish(payload)).BaseOffset);
        Assert.Equal(2, broker.Partition.StartOffset);
        Assert.Equal(ErrorCode.PartitionFull, (await broker.Publish(payload)).Error);
        Assert.InRange(broker.Partition.Bytes, 1_000_000, 1 << 20);
    }
}
