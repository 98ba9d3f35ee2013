using Microsoft.Data.Sqlite;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class ReaderTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_that_is_not_there_yet_is_empty_and_appears()
    {
        var path = Path.Combine(_fixture.Folder, "later.db");
        using var reader = new TelemetryReader(path);
        Assert.False(reader.IsReady);
        Assert.Equal(0, (await reader.RowsAsync(new RowQuery(), Cancel)).Total);
        Assert.Empty(await reader.HostsAsync(Cancel));
        Assert.Null((await reader.SummaryAsync(new TimeRange(default, DateTimeOffset.MaxValue), Cancel)).Completeness);
        File.WriteAllBytes(path, []); // as SQLite makes it at first
        Assert.False(reader.IsReady);
        Assert.Empty(await reader.LatestAsync(null, null, Cancel));
        Telemetry.Storage.TelemetryStore.Open(path).Dispose();
        Assert.True(reader.IsReady);
    }

    [Fact]
    public async Task A_replaced_file_is_read_anew()
    {
        using var reader = _fixture.Reader();
        _fixture.Write(StoreFixture.Row(1, "old"));
        Assert.Equal("old", Assert.Single(await reader.HostsAsync(Cancel)).HostId);

        using var other = new StoreFixture();
        other.Write(StoreFixture.Row(1, "new"));
        other.Store.Dispose();
        _fixture.Store.Dispose();
        File.Delete(_fixture.DatabasePath + "-wal");
        File.Delete(_fixture.DatabasePath + "-shm");
        File.Move(other.DatabasePath, _fixture.DatabasePath, overwrite: true);
        Assert.Equal("new", Assert.Single(await reader.HostsAsync(Cancel)).HostId);

        File.Delete(_fixture.DatabasePath);
        Assert.False(reader.IsReady);
        Assert.Empty(await reader.HostsAsync(Cancel));
    }

    [Fact]
    public async Task A_newer_schema_is_not_read()
    {
        using var reader = _fixture.Reader();
        _fixture.Write(StoreFixture.Row(1));
        Assert.True(reader.IsReady);
        using (var connection = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }
        Assert.False(reader.IsReady);
        Assert.Empty(await reader.HostsAsync(Cancel));
    }

    [Fact]
    public async Task A_cancelled_query_stops_working_and_the_next_one_is_answered()
    {
        for (var i = 0; i < 10; i++)
            _fixture.Write([.. Enumerable.Range(0, 20_000).Select(r => StoreFixture.Row(r, $"h{r % 50}"))]);
        using var reader = _fixture.Reader();
        var range = new TimeRange(StoreFixture.Epoch, StoreFixture.Epoch.AddDays(2));
        using (var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var queries = Enumerable.Range(0, 20).Select(_ => reader.SummaryAsync(range, cancelled.Token)).ToList();
            await cancelled.CancelAsync();
            foreach (var query in queries)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        }
        Assert.Equal(200_000, (await reader.SummaryAsync(range, Cancel)).Rows);
    }

    [Fact]
    public async Task Rows_of_equal_time_come_in_reverse_order_of_their_writing_over_all_runs()
    {
        using var fixture = new StoreFixture(new Telemetry.Storage.TelemetryStoreOptions { BlockRowsMax = 3, BlockSmallRows = 0 });
        fixture.Write(StoreFixture.Row(9, value: 1), StoreFixture.Row(5, value: 2), StoreFixture.Row(5, value: 3));
        fixture.Write(StoreFixture.Row(5, value: 4), StoreFixture.Row(5, value: 5), StoreFixture.Row(5, value: 6));
        using var reader = fixture.Reader();
        var page = await reader.RowsAsync(new RowQuery { Limit = 2 }, Cancel);
        Assert.Equal([1, 6], page.Rows.Select(r => r.Metrics["power_w"]));
        page = await reader.RowsAsync(new RowQuery { Limit = 2, After = page.Next }, Cancel);
        Assert.Equal([5, 4], page.Rows.Select(r => r.Metrics["power_w"]));
    }

    [Fact]
    public async Task Names_that_are_no_metrics_are_not_put_into_sql()
    {
        _fixture.Write(StoreFixture.Row(1));
        using var reader = _fixture.Reader();
        var page = await reader.RowsAsync(new RowQuery { Metrics = ["power_w", "time", "gpu; DROP TABLE sample", "\""] }, Cancel);
        Assert.Equal(["power_w"], page.Rows[0].Metrics.Keys);
        Assert.Empty(await reader.SeriesAsync("a", "0", "row_id", new TimeRange(StoreFixture.Epoch, StoreFixture.Epoch.AddDays(1)), TimeSpan.FromHours(1), Cancel));
        Assert.Empty(await reader.GpusAsync("a' OR '1'='1", Cancel));
    }

    [Fact]
    public async Task Requests_that_make_no_sense_are_refused()
    {
        using var reader = _fixture.Reader();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.RowsAsync(new RowQuery { Limit = 0 }, Cancel));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.RowsAsync(new RowQuery { Skip = -1 }, Cancel));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.RowsAsync(new RowQuery { Skip = long.MaxValue - 1_000 }, Cancel));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => reader.SeriesAsync("a", "0", "power_w", default, TimeSpan.Zero, Cancel));
    }

    [Fact]
    public async Task A_query_sees_the_store_as_it_is_at_one_moment()
    {
        using var reader = _fixture.Reader();
        var stop = new CancellationTokenSource();
        var writing = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                _fixture.Write(StoreFixture.Row(i, "a"), StoreFixture.Row(i, "b"));
        }, Cancel);
        for (var i = 0; i < 100; i++)
        {
            var page = await reader.RowsAsync(new RowQuery { Limit = 100_000 }, Cancel);
            Assert.Equal(page.Total, page.Rows.Count);
            Assert.Equal(0, page.Total % 2);
        }
        await stop.CancelAsync();
        await writing;
    }

    public void Dispose() => _fixture.Dispose();
}
