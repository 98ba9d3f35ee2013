using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>What <c>doctor</c> says of a queue, and of a store beside it.</summary>
public sealed class QueueDoctorTests : DoctorFixture
{
    [Fact]
    public async Task A_queue_that_is_not_reached_fails()
    {
        var none = await RunAsync("--messagequeue-addr", "127.0.0.1:1");
        Assert.Equal(1, none.Code);
        Assert.Contains("FAIL  queue: 127.0.0.1:1: nothing answers at the queue's address\n      → start the broker", none.Out, StringComparison.Ordinal);
        await using var queue = await QueueAsync();
        queue.Fails = new Status(StatusCode.PermissionDenied, "");
        Assert.Contains("FAIL  queue: ", (await RunAsync("--messagequeue-addr", queue.Address)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_does_not_keep_up_says_why()
    {
        await using var queue = await QueueAsync();
        async Task Finds(string expected, int code, Action<GroupDescription> change)
        {
            queue.Groups.Groups.Clear();
            queue.Groups.Groups.Add(Group());
            change(queue.Groups.Groups[0]);
            var run = await RunAsync("--messagequeue-addr", queue.Address);
            Assert.Contains(expected, run.Out, StringComparison.Ordinal);
            Assert.Equal(code, run.Code);
        }
        await Finds("FAIL  group: collectors: 0 members, 5 records or 0.2 s behind\n      → start its collectors", 1, g => g.Members.Clear());
        await Finds("; it is paused\n      → when the maintenance is over: broker groups resume collectors", 0, g => g.Paused = true);
        await Finds("1 partition without an owner", 0, g => g.Shards[0].MemberId = "");
        await Finds("warn  group: collectors: 1 member, 5 records or 99.0 s behind", 0, g => g.Shards[0].LagSeconds = 99);
        await Finds("ok    group: collectors: 1 member, 5 records or 0.2 s behind, 3 records lost to gaps at some time", 0, g => g.Shards[0].GapRecords = 3);
        queue.Groups.Groups.Clear();
        queue.Topics.Topics[0].Partitions[0].ExpiredUnread = 12;
        var none = (await RunAsync("--messagequeue-addr", queue.Address)).Text;
        Assert.Contains("warn  groups: there are none", none, StringComparison.Ordinal);
        Assert.Contains("warn  topic: telemetry: 12 records expired before every group had read them", none, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_that_expired_are_a_warning_only_while_a_group_does_not_keep_up()
    {
        await using var queue = await QueueAsync();
        queue.Topics.Topics[0].Partitions[0].ExpiredUnread = 12;
        const string text = "topic: telemetry: 12 records expired before every group had read them";
        Assert.Contains($"ok    {text}, at some time; every group keeps up now\n", (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
        queue.Groups.Groups[0].Shards[0].LagSeconds = 99;
        Assert.Contains($"warn  {text}\n      → start more collectors", (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_has_less_than_its_group_has_committed_is_another_one()
    {
        Write(95);
        await using var queue = await QueueAsync(200);
        Assert.Contains(
            "warn  lag: telemetry: the store is 110 records behind and collectors 5 records: it has committed 105 records that the store does not have: "
            + "collectors write another DATABASE_PATH, or this is another broker\n      → compare DATABASE_PATH and MESSAGEQUEUE_ADDR",
            (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
        // Behind as its group is, it is only slow; others may read the topic too.
        var slow = Group(90);
        slow.Group = "slow";
        queue.Groups.Groups.Add(slow);
        Assert.Contains("ok    lag: telemetry: the store is 110 records behind\n", (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_of_another_broker_is_a_warning()
    {
        Write(95);
        await using var queue = await QueueAsync();
        Damage($"INSERT INTO checkpoint VALUES ('former', 0, '{Guid.NewGuid()}', 1, 5, 1, 'a collector', 0)"); // a topic that was deleted since
        Assert.Contains("ok    lag: telemetry: the store is 5 records behind\n", (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
        queue.Topics.Topics[0].TopicId = Google.Protobuf.ByteString.CopyFrom(Guid.NewGuid().ToByteArray());
        var text = (await RunAsync("--messagequeue-addr", queue.Address)).Text;
        Assert.Contains("warn  lag: telemetry: what the store has read is of a topic that the queue does not have: collectors write another DATABASE_PATH, or this is another broker\n", text, StringComparison.Ordinal);
        Assert.Contains("warn  lag: former: ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_nobody_writes_beside_a_queue_that_is_read_is_a_warning()
    {
        Store.Open();
        await using var queue = await QueueAsync();
        Assert.Contains(
            "warn  lag: the store has read nothing, and collectors has committed: collectors write another DATABASE_PATH",
            (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
        queue.Groups.Groups[0].Shards[0].CommittedOffset = -1;
        Assert.DoesNotContain(" lag: ", (await RunAsync("--messagequeue-addr", queue.Address)).Text, StringComparison.Ordinal);
    }
}
