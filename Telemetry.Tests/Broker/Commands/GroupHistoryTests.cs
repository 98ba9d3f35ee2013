using System.Text.Json;
using System.Text.Json.Nodes;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Commands;

/// <summary>What a broker with DATA_PATH knows of how far a group had read before.</summary>
public sealed class GroupHistoryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-history-");
    private readonly JumpingTime _time = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Its_history_stands_below_a_group_where_it_is_asked_for()
    {
        await using var broker = await StartAsync();
        var all = (await broker.RunAsync("groups", "describe", "collectors", "--history")).Text;
        Assert.EndsWith(
            """
            partition  member  committed  last commit           lag  lag seconds  gap
                    0  nobody      1,500  2026-01-02T03:04:07Z    0          0.0    0
                    1  nobody          -  -                       0          0.0    0

            from                  partition  committed
            2026-01-02T03:04:05Z          0          -
            2026-01-02T03:04:05Z          1          -
            2026-01-02T03:04:06Z          0        400
            2026-01-02T03:04:07Z          0      1,500
            """,
            all, StringComparison.Ordinal);
        var last = (await broker.RunAsync("groups", "describe", "--history", "500ms", "collectors")).Text;
        Assert.EndsWith("\nfrom                  partition  committed\n2026-01-02T03:04:07Z          0      1,500", last, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.EndsWith("\n\nnothing was committed in that time", (await broker.RunAsync("groups", "describe", "collectors", "--history", "500ms")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_programs_history_is_a_list_and_not_there_where_it_was_not_asked_for()
    {
        await using var broker = await StartAsync();
        var history = (await broker.RunAsync("groups", "describe", "collectors", "--history", "1s", "-o", "json")).Json.GetProperty("history");
        Assert.Equal(
            ["""{"at":"2026-01-02T03:04:06Z","shard":0,"committed_offset":400}""", """{"at":"2026-01-02T03:04:07Z","shard":0,"committed_offset":1500}"""],
            history.EnumerateArray().Select(Compact));
        var all = (await broker.RunAsync("groups", "describe", "collectors", "--history", "-o", "json")).Json.GetProperty("history");
        Assert.Equal("""{"at":"2026-01-02T03:04:05Z","shard":0,"committed_offset":null}""", Compact(all[0]));
        Assert.False((await broker.RunAsync("groups", "describe", "collectors", "-o", "json")).Json.TryGetProperty("history", out _));
    }

    [Fact]
    public async Task A_group_is_reset_to_what_it_had_committed_at_a_time()
    {
        await using var broker = await StartAsync();
        Assert.Equal(
            """
            dry run, nothing is changed: group 'collectors' would be reset in 2 partitions

            partition   from   to  records
                    0  1,500  400    1,100  to be read again
                    1      -    -        -
            """,
            (await broker.RunAsync("groups", "reset", "collectors", "--to-committed-at", "2026-01-02T04:04:06.999+01:00", "--dry-run")).Text);
        Assert.Equal(1500, Committed(broker));
        var reset = (await broker.RunAsync("groups", "reset", "collectors", "--to-committed-at", "2026-01-02T03:04:06Z", "-o", "json")).Json.GetProperty("resets");
        Assert.Equal(
            ["""{"partition":0,"from_offset":1500,"to_offset":400}""", """{"partition":1,"from_offset":null,"to_offset":null}"""], reset.EnumerateArray().Select(Compact));
        Assert.Equal(400, Committed(broker));
        Assert.Equal(
            "broker: committed_at_unix_ms: what group 'collectors' had committed at 2026-01-02T03:04:04.000Z is not known; its history begins at 2026-01-02T03:04:05.000Z",
            (await broker.RunAsync("groups", "reset", "collectors", "--to-committed-at", "2026-01-02T03:04:04Z")).Refusal(1));
        Assert.Equal(400, Committed(broker));
    }

    [Fact]
    public async Task A_broker_in_memory_says_that_it_has_no_history()
    {
        await using var broker = await CommandRuns.StartAsync();
        await (await broker.JoinAsync()).LeaveAsync();
        const string Line = "broker: group 'collectors' has no history: only a broker with DATA_PATH keeps it";
        Assert.Equal(Line, (await broker.RunAsync("groups", "describe", "collectors", "--history")).Refusal(1));
        Assert.Equal(Line, (await broker.RunAsync("groups", "reset", "collectors", "--to-committed-at", "2026-01-02T03:04:04Z")).Refusal(1));
    }

    /// <summary>A broker on whose group nobody reads any more: it was at 400 a second ago, and at nothing before that.</summary>
    private async Task<RunningBroker> StartAsync()
    {
        var broker = await RunningBroker.StartAsync(new() { MaxPartitions = 2, DataPath = _folder.FullName }, _time);
        await broker.PublishAsync(1500);
        var member = await broker.JoinAsync();
        broker.Core.Groups.Save();
        foreach (var offset in (long[])[400, 1500])
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(ErrorCode.Ok, broker.Core.Groups.Get("collectors").Commit("m1", 0, offset, 1).Error);
            broker.Core.Groups.Save();
        }
        await member.LeaveAsync();
        return broker;
    }

    private static string Compact(JsonElement element) => JsonNode.Parse(element.GetRawText())!.ToJsonString();

    private static long Committed(RunningBroker broker) => broker.Core.Groups.Get("collectors").Describe().Shards[0].Committed;
}
