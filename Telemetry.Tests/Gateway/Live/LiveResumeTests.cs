using Telemetry.Gateway;
using Telemetry.Storage;

namespace Telemetry.Tests.Gateway.Live;

public sealed class LiveResumeTests : IAsyncLifetime
{
    private readonly StoreFile _file = new();
    private GatewayServer? _server;
    private int _written;

    private GatewayServer Server => _server!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Write(5);
        _server = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    private Task<GatewayServer> StartAsync() => GatewayServer.StartAsync(new GatewayOptions
    {
        DatabasePath = _file.Path,
        LiveInterval = TimeSpan.FromMilliseconds(5),
        HeartbeatInterval = TimeSpan.FromMilliseconds(20),
        LiveRecordsMax = 7,
        // A client that leaves waits a moment for the rest, so that its place is free only then.
        Streams = new RequestBounds(1_000, 1_000),
    });

    [Fact]
    public async Task A_listener_that_comes_back_gets_what_was_written_meanwhile_once_also_from_another_gateway()
    {
        string id;
        await using (var client = await LiveClient.JoinAsync(Server))
        {
            Write(20);
            await client.ValuesAsync(20);
            id = client.LastEventId;
        }
        Write(30);
        await using var other = await StartAsync();
        await using var again = await LiveClient.ConnectAsync(other, lastEventId: id);
        Write(10);
        Assert.Equal(Enumerable.Range(25, 40).Select(i => (double)i), await again.ValuesAsync(40));
    }

    [Fact]
    public async Task Nothing_is_lost_or_repeated_however_often_a_listener_comes_back_while_records_are_written_and_folded()
    {
        const int rows = 3_000;
        string id;
        await using (var client = await LiveClient.JoinAsync(Server))
            id = client.LastEventId;
        var writing = Task.Run(
            () =>
            {
                for (var i = 0; i < rows / 10; i++)
                {
                    Write(10);
                    if (i % 20 == 0)
                        _file.Open().Fold(TimeSpan.Zero);
                }
            },
            Cancelled);
        var values = new List<double>();
        while (values.Count < rows)
        {
            await using var client = await LiveClient.ConnectAsync(Server, lastEventId: id);
            for (var events = 0; events < 7 && values.Count < rows; events++)
            {
                var next = await client.NewsAsync();
                Assert.Equal("records", next?.EventType);
                values.AddRange(System.Text.Json.JsonElement.Parse(next!.Value.Data).EnumerateArray().Select(r => r.GetProperty("metrics").GetProperty("power_w").GetDouble()));
            }
            id = client.LastEventId;
        }
        await writing;
        Assert.Equal(Enumerable.Range(5, rows).Select(i => (double)i), values);
    }

    [Fact]
    public async Task A_filtered_listener_does_not_go_back_to_records_of_others()
    {
        await using var client = await LiveClient.JoinAsync(Server, "?gpu_id=9");
        var id = client.LastEventId;
        Write(50);
        while (client.LastEventId == id || !client.LastEventId.StartsWith("55-", StringComparison.Ordinal))
            Assert.Equal("heartbeat", (await client.NextAsync())?.EventType);
    }

    [Fact]
    public async Task With_an_interval_one_event_has_what_is_newest_since()
    {
        string id;
        await using (var client = await LiveClient.JoinAsync(Server, "?interval=1h"))
            id = client.LastEventId;
        Write(50);
        await using var again = await LiveClient.ConnectAsync(Server, "?interval=1h", id);
        Assert.Equal([54], await again.ValuesAsync(1));
    }

    [Fact]
    public async Task A_collector_that_is_restarted_changes_nothing()
    {
        await using var client = await LiveClient.JoinAsync(Server);
        Write(2);
        Assert.Equal([5, 6], await client.ValuesAsync(2));
        _file.Close();
        Write(2);
        Assert.Equal([7, 8], await client.ValuesAsync(2));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("12")]
    [InlineData("3-1")] // of another store
    [InlineData("99999999-1")]
    [InlineData("-1-0")]
    public async Task An_id_that_is_not_of_this_store_is_a_gap(string id)
    {
        await using var client = await LiveClient.ConnectAsync(Server, lastEventId: id);
        Assert.Equal("gap", (await client.NewsAsync())?.EventType);
        Assert.StartsWith("5-", client.LastEventId, StringComparison.Ordinal);
        Write(1);
        Assert.Equal([5], await client.ValuesAsync(1));
    }

    [Fact]
    public async Task Records_that_have_left_by_age_are_a_gap_and_those_that_are_there_are_not()
    {
        string first, last;
        await using (var client = await LiveClient.JoinAsync(Server))
        {
            first = client.LastEventId;
            Write(10);
            await client.ValuesAsync(10);
            last = client.LastEventId;
        }
        Retain();
        await using (var client = await LiveClient.ConnectAsync(Server, lastEventId: last))
        {
            Write(1);
            Assert.Equal([15], await client.ValuesAsync(1));
        }
        await using (var client = await LiveClient.ConnectAsync(Server, lastEventId: first))
            Assert.Equal("gap", (await client.NewsAsync())?.EventType);
    }

    [Fact]
    public async Task A_listener_of_a_quiet_store_goes_on_when_its_rows_have_left()
    {
        await using var client = await LiveClient.JoinAsync(Server);
        Retain();
        Write(3);
        Assert.Equal([5, 6, 7], await client.ValuesAsync(3));
    }

    [Fact]
    public async Task A_store_that_is_replaced_ends_the_streams_and_is_a_gap_for_those_who_come_back()
    {
        await using var client = await LiveClient.JoinAsync(Server);
        Write(3);
        await client.ValuesAsync(3);
        using var other = new StoreFile();
        // More rows than the first one has, so that the numbers alone tell nothing.
        for (var i = 0; i < 30; i++)
            other.Write(FleetFixture.Record(FleetFixture.Now.AddSeconds(i), FleetFixture.Held, ("power_w", 100 + i)));
        Assert.True(other.Open().EmptyLog(TimeSpan.FromSeconds(20)));
        other.Close();
        _file.Close();
        foreach (var suffix in new[] { "-wal", "-shm" })
            File.Delete(_file.Path + suffix);
        File.Move(other.Path, _file.Path, overwrite: true);
        Assert.Null(await client.NewsAsync());

        await using var again = await LiveClient.ConnectAsync(Server, lastEventId: client.LastEventId);
        Assert.Equal("gap", (await again.NewsAsync())?.EventType);
        Assert.StartsWith("30-", again.LastEventId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_deleted_ends_the_streams()
    {
        await using var client = await LiveClient.JoinAsync(Server);
        _file.Close();
        foreach (var suffix in new[] { "", "-wal", "-shm" })
            File.Delete(_file.Path + suffix);
        Assert.Null(await client.NewsAsync());
        await using var again = await LiveClient.ConnectAsync(Server, lastEventId: client.LastEventId);
        Assert.Equal("gap", (await again.NewsAsync())?.EventType);
        Assert.Equal("0-0", again.LastEventId);
    }

    private void Retain()
    {
        var store = _file.Open();
        store.Fold(TimeSpan.Zero);
        var later = DateTimeOffset.UtcNow.AddDays(1);
        while (store.Retain(new RetentionCutoffs(later, FleetFixture.First, FleetFixture.First)).HasMore)
        {
        }
    }

    private void Write(int count) =>
        _file.Write([.. Enumerable.Range(0, count).Select(_ => FleetFixture.Record(FleetFixture.Now.AddSeconds(_written), FleetFixture.Busy, ("power_w", _written++)))]);
}
