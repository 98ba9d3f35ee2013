using System.Net;
using Telemetry.Gateway;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Live;

public sealed class LiveStreamTests : IAsyncLifetime
{
    private readonly StoreFile _file = new();
    private GatewayServer? _server;
    private int _written;

    private GatewayServer Server => _server!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await GatewayServer.StartAsync(Options);

    private GatewayOptions Options => new()
    {
        DatabasePath = _file.Path,
        LiveInterval = TimeSpan.FromMilliseconds(5),
        HeartbeatInterval = TimeSpan.FromMilliseconds(20),
        LiveRecordsMax = 10,
    };

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    [Fact]
    public async Task Every_record_comes_once_in_the_order_of_writing_to_every_listener()
    {
        Write(3);
        await using var one = await LiveClient.JoinAsync(Server);
        await using var two = await LiveClient.JoinAsync(Server);
        for (var i = 0; i < 20; i++)
            Write(i);
        var expected = Enumerable.Range(3, 190).Select(i => (double)i);
        Assert.Equal(expected, await one.ValuesAsync(190));
        Assert.Equal(expected, await two.ValuesAsync(190));
        await using var late = await LiveClient.JoinAsync(Server);
        Write(2);
        Assert.Equal([193, 194], await late.ValuesAsync(2));
        Assert.Equal([193, 194], await one.ValuesAsync(2));
    }

    [Fact]
    public async Task A_stream_is_what_proxies_and_browsers_pass_on_at_once()
    {
        Write(1);
        await using var client = await LiveClient.JoinAsync(Server);
        Assert.Equal("text/event-stream", client.Response.Content.Headers.ContentType?.ToString());
        Assert.True(client.Response.Headers.CacheControl?.NoStore);
        Assert.Equal("no", Assert.Single(client.Response.Headers.GetValues("X-Accel-Buffering")));
        Assert.Empty(client.Response.Content.Headers.ContentEncoding);
        Assert.Equal(TimeSpan.FromSeconds(2), client.Retry);
        var beat = await client.NextAsync();
        Assert.Equal("heartbeat", beat?.EventType);
        Assert.Matches("^\\{\"time\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z\"\\}$", beat!.Value.Data);
    }

    [Fact]
    public async Task A_record_is_as_in_latest_also_where_only_some_metrics_are_asked_for()
    {
        Write(1);
        await using var all = await LiveClient.JoinAsync(Server);
        await using var some = await LiveClient.JoinAsync(Server, "?metrics=power_w");
        _file.Write(FleetFixture.Record(DateTimeOffset.UtcNow.AddSeconds(5), FleetFixture.Busy, ("power_w", 300.5), ("gpu_utilization", 90)));
        var record = Assert.Single(await all.RecordsAsync(1));
        var latest = (await Server.GetAsync("/api/v1/telemetry/latest?host_id=node-a&gpu_id=0")).GetProperty("data")[0];
        Assert.Equal(latest.EnumerateObject().Select(p => p.Name), record.EnumerateObject().Select(p => p.Name));
        foreach (var property in latest.EnumerateObject().Where(p => p.Name != "age_seconds"))
            Assert.Equal(property.Value.GetRawText(), record.GetProperty(property.Name).GetRawText());
        var part = Assert.Single(await some.RecordsAsync(1));
        Assert.Equal("""{"power_w":300.5}""", part.GetProperty("metrics").GetRawText());
        Assert.Equal("active", part.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Only_what_is_asked_for_comes()
    {
        WriteTo(FleetFixture.Busy, FleetFixture.Held, FleetFixture.Lost);
        await using var host = await LiveClient.JoinAsync(Server, "?host_id=node-a");
        await using var gpu = await LiveClient.JoinAsync(Server, "?host_id=node-a&gpu_id=1");
        await using var index = await LiveClient.JoinAsync(Server, "?gpu_id=0");
        for (var i = 0; i < 5; i++)
            WriteTo(FleetFixture.Busy, FleetFixture.Held, FleetFixture.Lost);
        Assert.Equal(Enumerable.Range(3, 15).Where(i => i % 3 != 2).Select(i => (double)i), await host.ValuesAsync(10));
        Assert.Equal([4, 7, 10, 13, 16], await gpu.ValuesAsync(5));
        Assert.Equal(Enumerable.Range(3, 15).Where(i => i % 3 != 1).Select(i => (double)i), await index.ValuesAsync(10));
    }

    [Fact]
    public async Task What_cannot_be_streamed_is_a_problem_before_the_stream_begins()
    {
        Write(1);
        const string path = "/api/v1/telemetry/stream";
        await Server.GetProblemAsync(path + "?host_id=node-z", 404);
        await Server.GetProblemAsync(path + "?host_id=node-a&gpu_id=7", 404);
        Assert.Equal("metrics", (await Server.GetProblemAsync(path + "?metrics=watts", 400)).GetProperty("parameter").GetString());
        foreach (var interval in new[] { "0s", "1.5s", "2h", "soon", "" })
            Assert.Equal("interval", (await Server.GetProblemAsync($"{path}?interval={interval}", 400)).GetProperty("parameter").GetString());
        Assert.Equal("since", (await Server.GetProblemAsync(path + "?since=1", 400)).GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Head_has_the_headers_and_no_stream()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/api/v1/telemetry/stream");
        using var response = await Server.Client.SendAsync(request, Cancelled);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.ToString()));
    }

    [Fact]
    public async Task With_an_interval_the_newest_record_of_each_gpu_comes_and_never_an_older_one()
    {
        Write(1);
        await using var client = await LiveClient.JoinAsync(Server, "?interval=1s");
        var time = DateTimeOffset.UtcNow;
        _file.Write(
            FleetFixture.Record(time, FleetFixture.Busy, ("power_w", 10)), FleetFixture.Record(time.AddSeconds(1), FleetFixture.Busy, ("power_w", 11)),
            FleetFixture.Record(time.AddSeconds(-9), FleetFixture.Busy, ("power_w", 12)), FleetFixture.Record(time, FleetFixture.Held, ("power_w", 20)));
        Assert.Equal([11, 20], (await client.ValuesAsync(2)).Order());
        // A late record of the one GPU is older than what was sent; that of the other is new.
        _file.Write(FleetFixture.Record(time, FleetFixture.Busy, ("power_w", 13)), FleetFixture.Record(time.AddSeconds(1), FleetFixture.Held, ("power_w", 21)));
        Assert.Equal([21], await client.ValuesAsync(1));
    }

    [Fact]
    public async Task Before_there_is_a_store_a_listener_waits_and_then_gets_its_first_record()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(Options with { DatabasePath = file.Path });
        await using var client = await LiveClient.JoinAsync(server);
        Assert.Equal("heartbeat", (await client.NextAsync())?.EventType);
        Assert.Equal("0-0", client.LastEventId);
        file.Open();
        Assert.Equal("heartbeat", (await client.NextAsync())?.EventType);
        file.Write(Record(7));
        Assert.Equal([7], await client.ValuesAsync(1));
    }

    [Fact]
    public async Task The_streams_end_in_order_when_the_gateway_stops()
    {
        Write(1);
        var server = await GatewayServer.StartAsync(Options);
        await using var one = await LiveClient.JoinAsync(server);
        await using var two = await LiveClient.JoinAsync(server, "?interval=1h");
        var stopping = server.StopAsync();
        Assert.Null(await one.NewsAsync());
        Assert.Null(await two.NewsAsync());
        await stopping;
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_more_than_may_be_open_is_429_and_a_place_is_free_when_one_ends()
    {
        Write(1);
        await using var server = await GatewayServer.StartAsync(Options with { Streams = new RequestBounds(3, 2), ConcurrentRequestsMax = 1 });
        var one = await LiveClient.JoinAsync(server);
        await using var two = await LiveClient.JoinAsync(server);
        var problem = await server.GetProblemAsync("/api/v1/telemetry/stream", 429);
        Assert.Contains("/api/v1/telemetry/stream are under way", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        // They do not stand in the way of short requests.
        await server.GetAsync("/api/v1/telemetry/latest");
        await one.DisposeAsync();
        HttpStatusCode status;
        do
        {
            using var response = await server.Client.GetAsync(new Uri("/api/v1/telemetry/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancelled);
            status = response.StatusCode;
        }
        while (status == HttpStatusCode.TooManyRequests);
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task A_listener_that_is_too_slow_is_told_and_can_go_on_without_loss()
    {
        Write(1);
        await using var server = await GatewayServer.StartAsync(Options with { ListenerRecordsMax = 40, LiveRecordsMax = 1000 });
        await using var client = await LiveClient.JoinAsync(server, "?metrics=power_w");
        // Nothing of this is read until the sockets are full and more waits than may.
        var values = new List<double>();
        var written = 0;
        for (var round = 0; round < 400; round++)
        {
            Write(500);
            written += 500;
        }
        System.Net.ServerSentEvents.SseItem<string>? next;
        while ((next = await client.NewsAsync())?.EventType == "records")
            values.AddRange(System.Text.Json.JsonElement.Parse(next!.Value.Data).EnumerateArray().Select(r => r.GetProperty("metrics").GetProperty("power_w").GetDouble()));
        Assert.Equal("dropped", next?.EventType);
        Assert.Null(await client.NextAsync());
        Assert.True(values.Count < written);
        await using var again = await LiveClient.ConnectAsync(Server, "?metrics=power_w", client.LastEventId);
        values.AddRange(await again.ValuesAsync(written - values.Count));
        Assert.Equal(Enumerable.Range(1, written).Select(i => (double)i), values);
    }

    private TelemetryRow Record(double value, GpuLabels? gpu = null) =>
        FleetFixture.Record(DateTimeOffset.UtcNow.AddSeconds(_written), gpu ?? FleetFixture.Busy, ("power_w", value));

    private void Write(int count)
    {
        if (count > 0)
            _file.Write([.. Enumerable.Range(0, count).Select(_ => Record(_written++))]);
    }

    private void WriteTo(params GpuLabels[] gpus) => _file.Write([.. gpus.Select(gpu => Record(_written++, gpu))]);
}
