using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>What people change of a group: answered, it outlives a crash; refused, it has changed nothing.</summary>
public sealed class KeptGroupsTests
{
    /// <summary>A group that has read 10 of 20 records, and has no members.</summary>
    private static async Task<DurableBroker> BrokerAsync(int partitions = 1)
    {
        var broker = new DurableBroker(partitions: partitions);
        for (var i = 0; i < 4; i++)
            await broker.Publish(DurableLogTests.Text(i), records: 5);
        Read(broker, 10);
        broker.Core.Groups.Save();
        return broker;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F07_a_pause_that_was_answered_is_there_after_a_crash_and_so_is_a_resume(bool powerCut)
    {
        await using var first = await BrokerAsync();
        Assert.True(first.Core.Groups.Pause("g", true).IsPaused);
        await using var second = first.Restart(powerCut ? new Random(1) : null);
        Assert.True(second.Core.Groups.Get("g").IsPaused);
        second.Core.Groups.Pause("g", false);
        await using var third = second.Restart(powerCut ? new Random(2) : null);
        Assert.False(third.Core.Groups.Get("g").IsPaused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F07_a_reset_that_was_answered_is_there_after_a_crash_and_so_is_a_deletion(bool powerCut)
    {
        await using var first = await BrokerAsync();
        first.Core.Groups.ResetOffsets("g", [], new ReadFrom.Offset(5, null), dryRun: false);
        await using var second = first.Restart(powerCut ? new Random(1) : null);
        Assert.Equal(5, Committed(second));
        second.Core.Groups.Delete("g");
        await using var third = second.Restart(powerCut ? new Random(2) : null);
        Assert.Null(third.Core.Groups.Find("g"));
    }

    [Fact]
    public async Task A_dry_run_keeps_nothing()
    {
        await using var broker = await BrokerAsync();
        var before = broker.Disk.Contents(OffsetsFile(broker)).Count;
        Assert.Equal([new OffsetMove(0, 10, 5)], broker.Core.Groups.ResetOffsets("g", [], new ReadFrom.Offset(5, null), dryRun: true));
        Assert.Equal((10, before), (Committed(broker), broker.Disk.Contents(OffsetsFile(broker)).Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task F05_F06_what_the_disk_refuses_is_an_error_and_changes_nothing_then_or_later(bool isFull)
    {
        await using var first = await BrokerAsync();
        first.Core.Groups.Join("paused", "telemetry", 0, Options);
        first.Core.Groups.Save();
        first.Disk.Room = isFull ? 20 : null;
        first.Disk.FailSync = !isFull;
        var code = isFull ? ErrorCode.DiskFull : ErrorCode.StorageFailed;
        foreach (var change in Changes(first))
        {
            var refused = Assert.Throws<BrokerException>(change);
            Assert.Equal(code, refused.Code);
            Assert.Matches("^group '[a-z]+' was not changed: ", refused.Message);
        }
        Assert.Equal(3, first.Failures.Count);
        AssertUnchanged(first);
        Assert.Equal("m", Assert.Single(first.Core.Groups.Get("paused").Describe().Shards).MemberId);

        first.Disk.Room = null;
        first.Disk.FailSync = false;
        first.Core.Groups.Save();
        await using var second = first.Restart(new Random(1));
        AssertUnchanged(second);
        foreach (var change in Changes(second))
            change();
        Assert.Null(second.Core.Groups.Find("g"));
    }

    [Fact]
    public async Task F07_whatever_step_the_machine_dies_at_what_was_answered_is_there()
    {
        var answers = 0;
        for (var step = 0; step < 20; step++)
        {
            for (var change = 0; change < 3; change++)
            {
                await using var before = await BrokerAsync();
                before.Core.Groups.Join("paused", "telemetry", 0, Options);
                before.Core.Groups.Save();
                // After a start there is more to do: the file is written anew.
                await using var first = step % 2 == 0 ? before : before.Restart();
                first.Disk.DiesAfter = step / 2;
                var isAnswered = true;
                try
                {
                    Changes(first)[change]();
                    answers++;
                }
                catch (BrokerException refused)
                {
                    Assert.Equal(ErrorCode.StorageFailed, refused.Code);
                    isAnswered = false;
                }
                await using var second = first.Restart(new Random(step));
                if (!isAnswered)
                    continue; // it may be there or not
                Assert.Equal(change == 0, second.Core.Groups.Find("paused")?.IsPaused ?? false);
                Assert.Equal(change == 2 ? null : change == 1 ? 5 : 10, second.Core.Groups.Find("g")?.Describe().Shards[0].Committed);
            }
        }
        Assert.InRange(answers, 3, 57);
    }

    [Fact]
    public async Task A_group_is_reset_to_what_it_had_committed_at_a_time_and_never_beyond_it()
    {
        await using var broker = await BrokerAsync(partitions: 2);
        var begin = broker.Core.Clock.UnixMs;
        Pass(broker, 1000, read: 15);
        Pass(broker, 1000, read: 20);

        Assert.Equal([new OffsetMove(0, 20, 15), new OffsetMove(1, -1, -1)], broker.Core.Groups.ResetToCommittedAt("g", [], begin + 1999, dryRun: true));
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([new OffsetMove(0, 20, 10)], broker.Core.Groups.ResetToCommittedAt("g", [0], begin + 999, dryRun: false));
        Assert.Equal(10, Committed(broker));
        // It is in the history itself, and can be taken back.
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([new OffsetMove(0, 10, 20)], broker.Core.Groups.ResetToCommittedAt("g", [0], begin + 2000, dryRun: false));
        Assert.Equal([10, 15, 20, 10, 20], broker.Core.Groups.History("g", 60_000).Where(point => point.Shard == 0).Select(point => point.Offset));
        Assert.Equal([20], broker.Core.Groups.History("g", 999).Select(point => point.Offset));
        await using var second = broker.Restart(new Random(1));
        Assert.Equal([new OffsetMove(0, 20, 15)], second.Core.Groups.ResetToCommittedAt("g", [0], begin + 1000, dryRun: true));
    }

    [Fact]
    public async Task Where_nothing_was_committed_at_that_time_nothing_is_after_the_reset()
    {
        await using var broker = new DurableBroker();
        await broker.Publish(DurableLogTests.Text(0), records: 5);
        Read(broker, null);
        broker.Core.Groups.Save();
        var begin = broker.Core.Clock.UnixMs;
        Pass(broker, 1000, read: 5);
        Assert.Equal([new OffsetMove(0, 5, -1)], broker.Core.Groups.ResetToCommittedAt("g", [], begin, dryRun: false));
        Assert.Equal(-1, Committed(broker));
        await using var second = broker.Restart();
        Assert.Equal(5, second.Core.Groups.Get("g").Describe().Shards[0].Lag.Records);
    }

    [Fact]
    public async Task A_time_that_the_history_does_not_reach_and_a_log_that_has_moved_on_are_refused()
    {
        await using var broker = await BrokerAsync();
        var begin = broker.Core.Clock.UnixMs;
        var early = Refused(broker, begin - 1);
        Assert.Equal(ErrorCode.InvalidRequest, early.Code);
        Assert.Equal("committed_at_unix_ms: what group 'g' had committed at 2026-01-02T03:04:04.999Z is not known; its history begins at 2026-01-02T03:04:05.000Z", early.Message);

        Pass(broker, (long)TimeSpan.FromHours(23).TotalMilliseconds, read: 20);
        broker.Time.Advance(TimeSpan.FromHours(2));
        broker.Core.Tick(); // the records are older than their TTL
        Assert.Equal(ErrorCode.OffsetOutOfRange, Refused(broker, begin).Code);
        Assert.Equal(20, Committed(broker));

        Read(broker, null, "new");
        Assert.Equal(
            "committed_at_unix_ms: nothing is known yet of what group 'new' has committed",
            Assert.Throws<BrokerException>(() => broker.Core.Groups.ResetToCommittedAt("new", [], begin, dryRun: true)).Message);
        Assert.Equal(ErrorCode.UnknownGroup, Assert.Throws<BrokerException>(() => broker.Core.Groups.ResetToCommittedAt("h", [], begin, dryRun: true)).Code);
    }

    [Fact]
    public async Task In_memory_there_is_no_history_and_that_is_said()
    {
        await using var broker = new BrokerUnderTest();
        broker.Join("g", "m").Leave();
        const string Message = "group 'g' has no history: only a broker with DATA_PATH keeps it";
        Assert.Equal(Message, Assert.Throws<BrokerException>(() => broker.Core.Groups.History("g", 1000)).Message);
        Assert.Equal(Message, Assert.Throws<BrokerException>(() => broker.Core.Groups.ResetToCommittedAt("g", [], 0, dryRun: true)).Message);
        Assert.True(broker.Core.Groups.Pause("g", true).IsPaused);
    }

    private static MemberOptions Options { get; } = new("m", TimeSpan.FromHours(1), TimeSpan.FromSeconds(10), "test");

    private static Action[] Changes(DurableBroker broker) =>
    [
        () => broker.Core.Groups.Pause("paused", true),
        () => broker.Core.Groups.ResetOffsets("g", [], new ReadFrom.Offset(5, null), dryRun: false),
        () => broker.Core.Groups.Delete("g"),
    ];

    private static void AssertUnchanged(DurableBroker broker)
    {
        Assert.False(broker.Core.Groups.Get("paused").IsPaused);
        Assert.Equal(10, Committed(broker));
    }

    private static BrokerException Refused(DurableBroker broker, long unixMs) =>
        Assert.Throws<BrokerException>(() => broker.Core.Groups.ResetToCommittedAt("g", [], unixMs, dryRun: false));

    /// <summary>Lets a member of the group read the first partition up to an offset.</summary>
    private static void Read(DurableBroker broker, long? offset, string group = "g")
    {
        var session = broker.Core.Groups.Join(group, "telemetry", 0, Options);
        if (offset is { } to)
            Assert.Equal(ErrorCode.Ok, session.Group.Commit("m", 0, to, session.Group.Describe().Generation).Error);
        session.Group.Leave(session);
    }

    private static void Pass(DurableBroker broker, long milliseconds, long read)
    {
        broker.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Read(broker, read);
        broker.Core.Groups.Save();
    }

    private static long Committed(DurableBroker broker) => broker.Core.Groups.Get("g").Describe().Shards[0].Committed;

    private static string OffsetsFile(DurableBroker broker) => broker.Disk.Files.Single(path => path.EndsWith(LogFiles.Offsets, StringComparison.Ordinal));
}
