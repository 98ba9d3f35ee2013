using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Telemetry.Gateway;
using Telemetry.Gateway.Commands.Doctor;

namespace Telemetry.Tests.Gateway.Commands;

public sealed class DoctorTests : DoctorFixture
{
    [Fact]
    public async Task Where_all_is_well_nothing_fails()
    {
        Write(1_000);
        await using var queue = await QueueAsync(1_000);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = Store.Path });
        var port = server.Client.BaseAddress!.Port;
        var text = (await RunAsync("--port", $"{port}", "--messagequeue-addr", queue.Address)).Text;
        Assert.Contains($"ok    settings: database {Store.Path}, port {port}, queue {queue.Address}, rules the defaults\n", text, StringComparison.Ordinal);
        Assert.Contains($"ok    port: a gateway answers on {port}; its store is ready\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    store: place: a local file system\n", text, StringComparison.Ordinal);
        Assert.Contains("1 of 1 GPUs have reported in the last 1m\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    history: 0 of 1,000 records are folded\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    clock: no record is from the future\n", text, StringComparison.Ordinal);
        Assert.Contains($"ok    queue: {queue.Address} answers: 1 topic, 1 partition, 995 records\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    clock: the broker's is as this machine's, to two seconds\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    group: collectors: 1 member, 5 records or 0.2 s behind\n", text, StringComparison.Ordinal);
        Assert.Contains("ok    lag: telemetry: the store is 5 records behind\n", text, StringComparison.Ordinal);
        Assert.EndsWith("nothing fails and there is no warning\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("verify", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_are_named()
    {
        foreach (var (name, value, expected) in new[]
        {
            ("PORT", "70000", "FAIL  settings: PORT: '70000' is not accepted: expected a whole number"),
            ("MESSAGEQUEUE_ADDR", "broker", "FAIL  settings: MESSAGEQUEUE_ADDR: 'broker' is not accepted"),
            ("FLEET_RULES", "/no/such/file", "FAIL  settings: FLEET_RULES"),
            ("LISTEN_ADDRESS", "everywhere", "FAIL  settings: LISTEN_ADDRESS: 'everywhere' is not accepted"),
        })
        {
            var run = await GatewayRun.OfAsync(new Dictionary<string, string> { [name] = value }, "doctor");
            Assert.Equal((1, ""), (run.Code, run.Error));
            Assert.StartsWith(expected, run.Out, StringComparison.Ordinal);
            Assert.Contains("\n      → correct it", run.Out, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--port 70000", "--port: '70000' is not accepted: expected a whole number from 0 to 65535")]
    [InlineData("--port", "--port: has no value: expected a whole number from 0 to 65535")]
    [InlineData("--cors-enabled perhaps", "--cors-enabled: 'perhaps' is not accepted: expected true or false")]
    [InlineData("--messagequeue-addr broker", "--messagequeue-addr: 'broker' is not accepted: expected host:port, as localhost:9090, or a URL, as http://broker:9090")]
    [InlineData("--listen-address everywhere", "--listen-address: 'everywhere' is not accepted: expected localhost, any or an IP address")]
    [InlineData("--fleet-rules /no/such/file", "--fleet-rules: '/no/such/file' is not accepted: the file cannot be read")]
    public async Task Flags_that_cannot_be_used_are_refused(string flags, string refusal) =>
        Assert.Equal("gateway: " + refusal, (await RunAsync(flags.Split(' '))).Refusal(2));

    [Fact]
    public async Task All_flags_of_the_gateway_are_taken()
    {
        var rules = Path.Combine(Path.GetDirectoryName(Store.Path)!, "rules.json");
        await File.WriteAllTextAsync(rules, """{ "lost_after": "2m" }""", Cancelled);
        Write(3);
        var text = (await RunAsync("--listen-address", "127.0.0.1", "--fleet-rules", rules, "--log-level=debug", "--cors-enabled", "--database-path", Store.Path)).Text;
        Assert.Contains($", rules {rules}\n", text, StringComparison.Ordinal);
        Assert.Contains("1 of 1 GPUs have reported in the last 2m\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_port_that_another_program_has_fails_and_a_free_one_does_not(string address)
    {
        Assert.SkipUnless(IsThere(IPAddress.Parse(address)), $"this machine has no {address}");
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
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
        Assert.Contains($"ok    port: {port} is free", (await RunAsync("--port", $"{port}", "--listen-address", "any")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("waiting", true, Outcome.Warn, "but waits for a store that is there")]
    [InlineData("ready", false, Outcome.Warn, "and has a store, but none can be read at ")]
    [InlineData("waiting", false, Outcome.Ok, "its store is waiting")]
    [InlineData("ready", true, Outcome.Ok, "its store is ready")]
    [InlineData("corner shop", true, Outcome.Fail, "is in use by a program that is no gateway")]
    internal async Task A_gateway_that_has_another_store_is_a_warning(string store, bool isStoreReady, Outcome outcome, string text)
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => http.Response.WriteAsync($$"""{"status":"healthy","store":"{{store}}"}"""));
        var found = await PortCheck.RunAsync(new GatewayOptions { Port = gateway.Url.Port }, isStoreReady, TimeSpan.FromSeconds(10), Cancelled);
        Assert.Equal(outcome, found.Outcome);
        Assert.Contains(text, found.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_knows_whether_the_store_of_a_gateway_could_be_its_own()
    {
        Write(3);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = Store.Path + ".other" });
        var port = server.Client.BaseAddress!.Port;
        Assert.Contains($"warn  port: a gateway answers on {port}, but waits for a store that is there: {Store.Path}\n", (await RunAsync("--port", $"{port}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_does_not_end_its_answer_is_waited_for_only_so_long()
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => FakeGateway.StalledAsync(http));
        var found = await PortCheck.RunAsync(new GatewayOptions { Port = gateway.Url.Port }, true, TimeSpan.FromMilliseconds(100), Cancelled);
        Assert.Equal((Outcome.Fail, $"a program listens on {gateway.Url.Port} and did not answer within 0.1 s"), (found.Outcome, found.Text));
    }

    [Theory]
    [InlineData(100L << 20, 2)]
    [InlineData(1L << 30, 1)]
    [InlineData(3L << 30, 0)]
    public void Little_room_on_the_disk_is_a_warning_and_hardly_any_fails(long free, int expected)
    {
        var found = DiskCheck.Run(Store.Path, Disk(free));
        Assert.Equal((Outcome)expected, found.Outcome);
        Assert.Contains(" of 100.0 GiB are free beside the database", found.Text, StringComparison.Ordinal);
        Assert.Equal(expected > 0, found.Advice is not null);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named_with_the_one_that_was_measured()
    {
        var (there, missing) = (Path.GetDirectoryName(Store.Path)!, Path.Combine(Path.GetDirectoryName(Store.Path)!, "a", "b"));
        var found = DiskCheck.Run(Path.Combine(missing, "telemetry.db"), Disk(3L << 30));
        Assert.Equal(Outcome.Warn, found.Outcome);
        Assert.Equal($"3.0 GiB of 100.0 GiB are free in {there}; {missing} is not there, or this user may not see it", found.Text);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_matters_until_a_collector_has_the_database_open()
    {
        var closed = Disk(3L << 30) with { CanMakeFiles = _ => false };
        Assert.Contains("this user may make no files in", DiskCheck.Run(Store.Path, closed).Text, StringComparison.Ordinal);
        Assert.Equal(Outcome.Warn, DiskCheck.Run(Store.Path, closed).Outcome);
        await File.WriteAllTextAsync(Store.Path + "-shm", "", Cancelled);
        Assert.Equal(Outcome.Ok, DiskCheck.Run(Store.Path, closed).Outcome);
        Assert.True(Folder.OfThisMachine.CanMakeFiles(Path.GetTempPath()));
        Assert.False(Folder.OfThisMachine.CanMakeFiles(Store.Path + ".none"));
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

    private static Folder Disk(long free) => new(_ => (free, 100L << 30), _ => true);

    private static bool IsThere(IPAddress address)
    {
        try
        {
            using var listener = new TcpListener(address, 0);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
