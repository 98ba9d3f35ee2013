using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Telemetry.Gateway;
using Telemetry.Gateway.Commands.Doctor;
using Telemetry.Messaging.V1;
using Telemetry.Storage;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Verifying;

namespace Telemetry.Tests.Gateway.Commands;

public sealed class DoctorTests : IDisposable
{
    private readonly StoreFile _file = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Task<GatewayRun> RunAsync(params string[] args) =>
        GatewayRun.OfAsync(new Dictionary<string, string> { ["DATABASE_PATH"] = _file.Path, ["PORT"] = "0" }, ["doctor", .. args]);

    [Fact]
    public async Task Where_all_is_well_nothing_fails()
    {
        Write(1_000);
        await using var queue = await QueueAsync();
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path });
        var port = server.Client.BaseAddress!.Port;
        var text = (await RunAsync("--port", $"{port}", "--messagequeue-addr", queue.Address)).Text;
        Assert.Contains($"ok    settings: database {_file.Path}, port {port}, queue {queue.Address}, rules the defaults\n", text, StringComparison.Ordinal);
        Assert.Contains($"ok    port: a gateway answers on {port}; its store is ready\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    store: place: a local file system\n", text, StringComparison.Ordinal);
        Assert.Contains("1 of 1 GPUs have reported in the last 1m\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    clock: no record is from the future\n", text, StringComparison.Ordinal);
        Assert.Contains($"ok    queue: {queue.Address} answers: 1 topic, 1 partition, 90 records\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    clock: the broker's is as this machine's, to two seconds\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    group: collectors: 1 member, 5 records or 0.2 s behind\n", text, StringComparison.Ordinal);
        Assert.EndsWith("nothing fails and there is no warning\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("verify", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deep_reads_and_recounts_the_store()
    {
        Write(60);
        Assert.Contains("60 plain rows", (await RunAsync("--deep")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("60 plain rows", (await RunAsync()).Text, StringComparison.Ordinal);
        Damage("UPDATE latest SET time = time - 1");
        var deep = await RunAsync("--deep");
        Assert.Equal((1, ""), (deep.Code, deep.Error));
        Assert.Matches("\nFAIL  store: rows, zone map and latest: 2 wrong, the first: .*\n      → restore a backup", deep.Out);
        Assert.EndsWith("\n1 thing fails and there is 1 warning\n", deep.Out, StringComparison.Ordinal); // no queue
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_are_named()
    {
        foreach (var (name, value, expected) in new[]
        {
            ("PORT", "70000", "FAIL  settings: PORT: '70000' is not accepted: expected a whole number"),
            ("MESSAGEQUEUE_ADDR", "broker", "FAIL  settings: MESSAGEQUEUE_ADDR: 'broker' is not accepted"),
            ("FLEET_RULES", "/no/such/file", "FAIL  settings: FLEET_RULES"),
        })
        {
            var run = await GatewayRun.OfAsync(new Dictionary<string, string> { [name] = value }, "doctor");
            Assert.Equal((1, ""), (run.Code, run.Error));
            Assert.StartsWith(expected, run.Out, StringComparison.Ordinal);
            Assert.Contains("\n      → correct it", run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_port_that_another_program_has_fails_and_a_free_one_does_not()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var answering = Task.Run(
            async () =>
            {
                using var client = await listener.AcceptTcpClientAsync(Cancelled);
                await client.GetStream().WriteAsync("220 this is a mail server\r\n"u8.ToArray(), Cancelled);
            },
            Cancelled);
        var run = await RunAsync("--port", $"{port}");
        await answering;
        Assert.Equal(1, run.Code);
        Assert.Contains($"FAIL  port: {port} is in use by a program that is no gateway\n      → stop it (ss -ltnp 'sport = :{port}'", run.Out, StringComparison.Ordinal);
        listener.Stop();
        Assert.Contains($"ok    port: {port} is free", (await RunAsync("--port", $"{port}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_a_warning_and_one_that_is_none_fails()
    {
        Assert.Contains($"warn  store: {_file.Path} is not there, so that all answers are empty\n      → start a collector", (await RunAsync()).Text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_file.Path, new string('x', 20_000), Cancelled);
        var none = await RunAsync();
        Assert.Equal(1, none.Code);
        Assert.Contains("FAIL  store: database", none.Out, StringComparison.Ordinal);
        Assert.Contains("it is not an SQLite database", none.Out, StringComparison.Ordinal);
        Assert.Contains("      → stop the collectors and put a backup in its place", none.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PRAGMA user_version = 99", "its schema has version 99 and this program knows versions up to")]
    [InlineData("PRAGMA application_id = 7", "belongs to another program")]
    [InlineData("UPDATE checkpoint SET next_offset = -2", "offsets: 1 wrong, the first: checkpoint telemetry/0")]
    [InlineData("UPDATE latest SET gpu = 999; DELETE FROM gpu", null)]
    public async Task A_store_that_is_not_right_fails(string damage, string? expected)
    {
        Write(3);
        Damage(damage);
        var run = await RunAsync("--deep");
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(expected ?? "FAIL", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_on_a_network_file_system_fails()
    {
        Write(1);
        var place = QuickLook.Run(_file.Path, _ => "nfs4")[0];
        Assert.Equal(("place", "a network file system", 1L), (place.Subject, place.Counts, place.FindingCount));
        Assert.Contains("(nfs4), where SQLite loses data", place.Findings[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_that_are_old_from_the_future_or_missing_are_warnings()
    {
        _file.Open();
        Assert.Contains("warn  records: the store has none\n", (await RunAsync()).Text, StringComparison.Ordinal);
        _file.Write(Record(-3600 * 30));
        Assert.Contains("warn  records: the newest is 30h old; 0 of 1 GPUs have reported in the last 1m\n", (await RunAsync()).Text, StringComparison.Ordinal);
        _file.Write([.. Enumerable.Range(0, 50).Select(i => Record(-1000 + i)), Record(-1), Record(500)]);
        var text = (await RunAsync()).Text;
        Assert.Matches("warn  completeness: \\d\\d?\\.\\d % of the records expected in the last hour have arrived\n", text);
        Assert.Matches("warn  clock: the newest record is \\d{3}(\\.\\d)? s in the future\n", text);
    }

    [Fact]
    public async Task Gaps_and_dead_letters_are_warnings()
    {
        var id = _file.TopicId;
        _file.Write([], 8, [new DeadLetter(id, 1, 0, 4, "undecodable", "it is none", default)], [new LogGap(id, 1, 5, 8, "expired")]);
        var text = (await RunAsync()).Text;
        Assert.Matches("warn  gaps: 1 of records that never came, the newest noted at \\S+Z \\(expired\\)\n      → ", text);
        Assert.Contains("warn  dead letters: 4 records could not be stored: undecodable (4)\n      → ", text, StringComparison.Ordinal);
    }

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
        await Finds("warn  group: collectors: 1 member, 5 records or 0.2 s behind, 3 records lost to gaps", 0, g => g.Shards[0].GapRecords = 3);
        queue.Groups.Groups.Clear();
        queue.Topics.Topics[0].Partitions[0].ExpiredUnread = 12;
        var none = (await RunAsync("--messagequeue-addr", queue.Address)).Text;
        Assert.Contains("warn  groups: there are none", none, StringComparison.Ordinal);
        Assert.Contains("warn  topic: telemetry: 12 records expired before every group had read them", none, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100L << 20, 2)]
    [InlineData(1L << 30, 1)]
    [InlineData(3L << 30, 0)]
    public void Little_room_on_the_disk_is_a_warning_and_hardly_any_fails(long free, int expected)
    {
        var found = DiskCheck.Run(_file.Path, _ => (free, 100L << 30));
        Assert.Equal((Outcome)expected, found.Outcome);
        Assert.Contains(" of 100.0 GiB are free beside the database", found.Text, StringComparison.Ordinal);
        Assert.Equal(expected > 0, found.Advice is not null);
    }

    [Fact]
    public void A_clock_is_wrong_where_it_differs_by_more_than_two_seconds()
    {
        var now = FleetFixture.Now.AddMilliseconds(700);
        Assert.Equal(Outcome.Ok, ClockCheck.OfBroker(FleetFixture.Now, now, now).Outcome); // its whole second
        Assert.Equal("the broker's is 9.3 s ahead of this machine's", ClockCheck.OfBroker(FleetFixture.Now.AddSeconds(10), now, now).Text);
        Assert.Equal("the broker's is 9.7 s behind this machine's", ClockCheck.OfBroker(FleetFixture.Now.AddSeconds(-10), now, now).Text);
        Assert.Equal(Outcome.Warn, ClockCheck.OfBroker(FleetFixture.Now.AddSeconds(-10), now, now).Outcome);
    }

    [Fact]
    public async Task Json_has_the_same_findings()
    {
        Write(60);
        var run = await RunAsync("--json", "--messagequeue-addr", "127.0.0.1:1");
        Assert.Equal((1, ""), (run.Code, run.Error));
        var answer = JsonElement.Parse(run.Out);
        Assert.False(answer.GetProperty("ok").GetBoolean());
        var queue = answer.GetProperty("data").EnumerateArray().Single(d => d.GetProperty("check").GetString() == "queue");
        Assert.Equal("fail", queue.GetProperty("outcome").GetString());
        Assert.StartsWith("start the broker", queue.GetProperty("advice").GetString(), StringComparison.Ordinal);
    }

    public void Dispose() => _file.Dispose();

    private static TelemetryRow Record(int second) =>
        FleetFixture.Record(DateTimeOffset.UtcNow.AddSeconds(second), FleetFixture.Busy, ("power_w", 1));

    private void Write(int rows) => _file.Write([.. Enumerable.Range(0, rows).Select(i => Record(i - rows))]);

    private void Damage(string sql)
    {
        _file.Open().EmptyLog(TimeSpan.FromSeconds(5));
        using var connection = new SqliteConnection($"Data Source={_file.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task<FakeQueue> QueueAsync()
    {
        var queue = await FakeQueue.StartAsync();
        queue.Topics.Topics.Add(new TopicDescription
        {
            Topic = "telemetry",
            Partitions = { new PartitionDescription { Partition = 0, LogStartOffset = 10, HighWatermark = 100, LogEndOffset = 100 } },
        });
        queue.Groups.Groups.Add(Group());
        return queue;
    }

    private static GroupDescription Group() => new()
    {
        Group = "collectors",
        Topic = "telemetry",
        Members = { new MemberDescription { MemberId = "m-1", Client = "here" } },
        Shards = { new ShardDescription { Shard = 0, MemberId = "m-1", CommittedOffset = 95, LagRecords = 5, LagSeconds = 0.2 } },
    };
}
