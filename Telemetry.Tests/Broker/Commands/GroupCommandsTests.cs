using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Commands;

public sealed class GroupCommandsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_group_is_described_with_its_members_and_its_lag()
    {
        var time = new JumpingTime();
        await using var broker = await RunningBroker.StartAsync(new() { MaxPartitions = 2 }, time);
        Assert.Equal("there are no groups", (await broker.RunAsync("groups", "list")).Text);
        using var member = await broker.JoinAsync();
        using var streamer = await broker.JoinAsync("input/telemetry/1", shards: 2);
        await broker.PublishAsync(1500);
        Assert.Equal(ErrorCode.Ok, broker.Core.Groups.Get("collectors").Commit("m1", 0, 0, 1).Error);
        time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(
            """
            group              topic      state   members  shards  no owner    lag  lag seconds  gap
            collectors         telemetry  active        1       2         0  1,500          2.5    0
            input/telemetry/1  telemetry  active        1       2         0      -            -    -
            """,
            (await broker.RunAsync("groups", "list")).Text);
        Assert.Equal(
            """
            group       collectors
            topic       telemetry
            state       active
            generation  1

            member  client  since
            m1      host/1  2026-01-02T03:04:05Z

            partition  member  committed  last commit             lag  lag seconds  gap
                    0  m1              0  2026-01-02T03:04:05Z  1,500          2.5    0
                    1  m1              -  -                         0          0.0    0
            """,
            (await broker.RunAsync("groups", "describe", "collectors")).Text);
        Assert.Equal(
            """
            group       input/telemetry/1
            topic       telemetry, an input of 2 shards
            state       active
            generation  1

            member  client  since
            m1      host/1  2026-01-02T03:04:05Z

            shard  member  committed  last commit
                0  m1              -  -
                1  m1              -  -
            """,
            (await broker.RunAsync("groups", "describe", "input/telemetry/1")).Text);

        var group = (await broker.RunAsync("groups", "describe", "collectors", "-o", "json")).Json;
        Assert.Equal((1500, 2.5, false), (group.GetProperty("lag_records").GetInt64(), group.GetProperty("lag_seconds").GetDouble(), group.GetProperty("paused").GetBoolean()));
        Assert.Equal("host/1", group.GetProperty("members")[0].GetProperty("client").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, group.GetProperty("shards")[1].GetProperty("committed_offset").ValueKind);
        Assert.Equal(2, (await broker.RunAsync("groups", "list", "-o", "json")).Json.GetProperty("groups").GetArrayLength());
    }

    [Fact]
    public async Task A_group_is_paused_and_resumed_and_says_so()
    {
        await using var broker = await CommandRuns.StartAsync();
        using var member = await broker.JoinAsync();
        Assert.Equal("paused group 'collectors': 1 member still to give back 2 partitions", (await broker.RunAsync("groups", "pause", "collectors")).Text);
        await member.ResponseStream.Next();
        await member.RequestStream.WriteAsync(new MemberMessage { Revoked = new Revoked { Shards = { 0, 1 } } }, Cancel);
        await Eventually.Is(() => broker.Core.Groups.Get("collectors").Describe().Shards.All(shard => shard.MemberId.Length == 0));
        Assert.Equal("paused group 'collectors': nobody owns any of its 2 partitions", (await broker.RunAsync("groups", "pause", "collectors")).Text);
        var described = (await broker.RunAsync("groups", "describe", "collectors")).Text;
        Assert.Contains("state       paused", described, StringComparison.Ordinal);
        Assert.Contains("        0  nobody  ", described, StringComparison.Ordinal);

        Assert.Equal("resumed group 'collectors': 1 member, 2 partitions of 2 given out", (await broker.RunAsync("groups", "resume", "collectors")).Text);
        Assert.True((await broker.RunAsync("groups", "pause", "collectors", "-o", "json")).Json.GetProperty("paused").GetBoolean());
        Assert.False((await broker.RunAsync("groups", "resume", "collectors", "-o", "json")).Json.GetProperty("paused").GetBoolean());
    }

    [Fact]
    public async Task Colours_say_what_needs_attention()
    {
        await using var broker = await CommandRuns.StartAsync();
        await (await broker.JoinAsync()).LeaveAsync();
        await broker.PublishAsync(3);
        string[] list = ["groups", "list", "--address", broker.Address.Authority];
        var alone = (await CommandRun.OfAsync(list, colours: true)).Out;
        Assert.Contains("\e[31mno members\e[0m", alone, StringComparison.Ordinal);
        Assert.Contains("\e[31m2\e[0m", alone, StringComparison.Ordinal); // without an owner
        Assert.Contains("\e[33m3\e[0m", alone, StringComparison.Ordinal); // lag
        await broker.RunAsync("groups", "pause", "collectors");
        var paused = (await CommandRun.OfAsync(list, colours: true)).Out;
        Assert.Contains("\e[33mpaused\e[0m", paused, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[31m", paused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_says_from_where_to_where_and_a_dry_run_changes_nothing()
    {
        await using var broker = await CommandRuns.StartAsync();
        await broker.PublishAsync(2000);
        await broker.PublishAsync(500, partition: 1);
        var member = await broker.JoinAsync();
        Assert.Equal(ErrorCode.Ok, broker.Core.Groups.Get("collectors").Commit("m1", 0, 2000, 1).Error);
        await member.LeaveAsync();
        Assert.Equal(
            """
            dry run, nothing is changed: group 'collectors' would be reset in 2 partitions

            partition   from  to  records
                    0  2,000   0    2,000  to be read again
                    1      -   0        -
            """,
            Trimmed((await broker.RunAsync("groups", "reset", "collectors", "--to-earliest", "--dry-run")).Text));
        Assert.Equal([2000, -1], Committed(broker));

        Assert.Equal(
            """
            reset group 'collectors' in 1 partition

            partition   from     to  records
                    0  2,000  1,500      500  to be read again
            """,
            Trimmed((await broker.RunAsync("groups", "reset", "collectors", "--to-offset", "1500", "--partition", "0")).Text));
        Assert.Equal([1500, -1], Committed(broker));

        var answer = (await broker.RunAsync("groups", "reset", "collectors", "--to-latest", "--partition", "1", "0", "-o", "json")).Json;
        Assert.False(answer.GetProperty("dry_run").GetBoolean());
        Assert.Equal(
            ["""{"partition":1,"from_offset":null,"to_offset":500}""", """{"partition":0,"from_offset":1500,"to_offset":2000}"""],
            answer.GetProperty("resets").EnumerateArray().Select(reset => System.Text.Json.Nodes.JsonNode.Parse(reset.GetRawText())!.ToJsonString()));
        Assert.Equal([2000, 500], Committed(broker));
    }

    [Theory]
    [InlineData("2026-01-02T03:04:05Z", 0)]
    [InlineData("2026-01-02T04:04:05.0001+01:00", 10)] // the first whole millisecond after it
    [InlineData("2026-01-02T03:04:05.001Z", 10)]
    [InlineData("2026-01-02T03:05:00Z", 20)]
    public async Task A_reset_to_a_time_goes_by_when_records_were_appended(string to, long expected)
    {
        var time = new JumpingTime();
        await using var broker = await RunningBroker.StartAsync(new() { MaxPartitions = 1 }, time);
        await (await broker.JoinAsync()).LeaveAsync();
        await broker.PublishAsync(10);
        time.Advance(TimeSpan.FromSeconds(1));
        await broker.PublishAsync(10);
        Assert.Contains($"  {expected}", (await broker.RunAsync("groups", "reset", "collectors", "--to-time", to)).Text, StringComparison.Ordinal);
        Assert.Equal([expected], Committed(broker));
    }

    [Fact]
    public async Task A_group_with_members_is_neither_reset_nor_deleted()
    {
        await using var broker = await CommandRuns.StartAsync();
        var member = await broker.JoinAsync();
        const string Line = "broker: group 'collectors' has 1 member: stop it first";
        Assert.Equal(Line, (await broker.RunAsync("groups", "reset", "collectors", "--to-latest")).Refusal(1));
        Assert.Equal(Line, (await broker.RunAsync("groups", "delete", "collectors")).Refusal(1));
        await member.LeaveAsync();
        Assert.Equal("deleted group 'collectors' of topic 'telemetry' and how far it had read 2 partitions", (await broker.RunAsync("groups", "delete", "collectors")).Text);
        await (await broker.JoinAsync()).LeaveAsync();
        Assert.True((await broker.RunAsync("groups", "delete", "collectors", "-o", "json")).Json.GetProperty("deleted").GetBoolean());
        Assert.Null(broker.Core.Groups.Find("collectors"));
    }

    [Fact]
    public async Task What_the_broker_refuses_is_named_with_its_group_and_partition()
    {
        await using var broker = await CommandRuns.StartAsync();
        await (await broker.JoinAsync()).LeaveAsync();
        await broker.PublishAsync(5);
        var beyond = (await broker.RunAsync("groups", "reset", "collectors", "--to-offset", "9", "--partition", "0")).Refusal(1);
        Assert.StartsWith("broker: group 'collectors': ", beyond, StringComparison.Ordinal);
        Assert.Contains("partition 0", beyond, StringComparison.Ordinal);
        Assert.Contains("partition", (await broker.RunAsync("groups", "reset", "collectors", "--to-latest", "--partition", "7")).Refusal(1), StringComparison.Ordinal);
        string[][] commands = [["describe"], ["pause"], ["resume"], ["delete"], ["reset", "--to-latest"]];
        foreach (var command in commands)
            Assert.Equal("broker: group 'nobody' is not known", (await broker.RunAsync(["groups", .. command, "nobody"])).Refusal(1));
    }

    private static IEnumerable<long> Committed(RunningBroker broker) => broker.Core.Groups.Get("collectors").Describe().Shards.Select(shard => shard.Committed);

    /// <summary>Without the spaces at the end of lines, which a text here cannot have.</summary>
    private static string Trimmed(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()));
}
