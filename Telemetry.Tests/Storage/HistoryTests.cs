using Microsoft.Data.Sqlite;
using Telemetry.Storage;
using Telemetry.Storage.History;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;
using Telemetry.Storage.Verifying;

namespace Telemetry.Tests.Storage;

/// <summary>Folding, merging and what they survive. That queries answer the same before and after is <see cref="ReaderModelTests"/>.</summary>
public sealed class HistoryTests : IDisposable
{
    private static readonly TimeRange All = new(StoreFixture.Epoch.AddYears(-1), StoreFixture.Epoch.AddYears(1));

    private readonly StoreFixture _fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Rows_are_folded_when_the_delay_has_passed_and_only_once()
    {
        _fixture.Write(StoreFixture.Row(1), StoreFixture.Row(2));
        Assert.Equal(2, _fixture.Store.Fold(TimeSpan.FromSeconds(30)).Rows); // nothing was folded ever
        _fixture.Write(StoreFixture.Row(3));
        Assert.Equal(0, _fixture.Store.Fold(TimeSpan.FromSeconds(30)).Rows);
        _fixture.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(1, _fixture.Store.Fold(TimeSpan.FromSeconds(30)).Rows);
        Assert.Equal(0, _fixture.Store.Fold(TimeSpan.Zero).Rows);
    }

    [Fact]
    public void Very_many_rows_are_folded_at_once_and_in_bounded_steps()
    {
        _fixture.Write([.. Enumerable.Range(0, 100).Select(i => StoreFixture.Row(i))]);
        Assert.Equal(new FoldStep(40, true), _fixture.Store.Fold(TimeSpan.FromHours(1), rowsMax: 40));
        Assert.Equal(new FoldStep(40, false), _fixture.Store.Fold(TimeSpan.FromHours(1), rowsMax: 40));
        Assert.Equal(default, _fixture.Store.Fold(TimeSpan.FromHours(1), rowsMax: 40)); // 20 wait for the delay
    }

    [Fact]
    public void An_hour_is_merged_when_it_is_over_and_quiet()
    {
        for (var part = 0; part < 3; part++)
        {
            _fixture.Write(StoreFixture.Row(part * 60), StoreFixture.Row(part * 60, "b"));
            _fixture.Store.Fold(TimeSpan.Zero);
        }
        Assert.Equal(6, Number("SELECT count(*) FROM chunk WHERE level = 0 AND is_part"));
        Assert.False(_fixture.Store.Merge(TimeSpan.FromMinutes(2)).HasMore); // 12:00
        _fixture.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.False(_fixture.Store.Merge(TimeSpan.FromMinutes(2)).HasMore); // 13:01
        _fixture.Time.Advance(TimeSpan.FromMinutes(1));
        MergeAll();
        Assert.Equal(0, Number("SELECT count(*) FROM chunk WHERE is_part"));
        Assert.Equal(2, Number("SELECT count(*) FROM chunk WHERE level = 0 AND rows = 3"));
        Assert.Equal(2, Number("SELECT count(*) FROM chunk WHERE level = 1 AND rows = 3")); // minutes 0, 1 and 2
        AssertNothingIsLeftOver();
    }

    [Fact]
    public async Task F30_late_rows_are_added_to_the_chunk_and_to_the_roll_ups_of_their_hour()
    {
        _fixture.Write([.. Enumerable.Range(0, 600).Select(i => StoreFixture.Row(i * 2, value: i))]);
        FoldAndMerge();
        _fixture.Write([.. Enumerable.Range(0, 600).Select(i => StoreFixture.Row((i * 2) + 1, value: -i))]);
        FoldAndMerge();
        Assert.Equal(1, Number("SELECT count(*) FROM chunk WHERE level = 0"));
        Assert.Equal(1_200, Number("SELECT rows FROM gpu_hour"));
        using var reader = _fixture.Reader();
        var minutes = await reader.SeriesAsync("a", "0", "power_w", new TimeRange(StoreFixture.Epoch, StoreFixture.Epoch.AddHours(1)), TimeSpan.FromMinutes(1), Cancel);
        Assert.Equal(Enumerable.Range(0, 20).Select(m => (60L, 0.0, -((30 * m) + 29.0), (30 * m) + 29.0, -((30 * m) + 29.0))),
            minutes.Select(m => (m.Count, m.Avg, m.Min, m.Max, m.Last)));
        AssertNothingIsLeftOver();
    }

    [Fact]
    public async Task More_records_of_an_hour_than_a_chunk_holds_become_several_chunks()
    {
        for (var i = 0; i < 3; i++)
        {
            _fixture.Write([.. Enumerable.Range(0, 50_000).Select(r => StoreFixture.Row(r % 1_000, value: r))]);
            FoldAndMerge();
        }
        Assert.Equal(3, Number("SELECT count(*) FROM chunk WHERE level = 0 AND NOT is_part"));
        _fixture.Write([.. Enumerable.Range(0, 10).Select(r => StoreFixture.Row(r, value: 7))]);
        FoldAndMerge();
        Assert.Equal(50_010, Number("SELECT max(rows) FROM chunk WHERE level = 0"));
        using var reader = _fixture.Reader();
        var page = await reader.RowsAsync(new RowQuery { End = StoreFixture.Epoch.AddSeconds(1), Limit = 12 }, Cancel);
        Assert.Equal(151, page.Total);
        Assert.Equal([7.0, 49_000, 48_000], page.Rows.Take(3).Select(r => r.Metrics["power_w"]));
    }

    [Fact]
    public async Task Once_an_hours_records_have_left_its_minutes_and_hours_answer()
    {
        _fixture.Write([.. Enumerable.Range(0, 300).Select(i => StoreFixture.Row(i, value: i))]);
        FoldAndMerge();
        var now = _fixture.Time.GetUtcNow();
        Retain(new RetentionCutoffs(now, now, default));
        using var reader = _fixture.Reader();
        Assert.Equal(0, (await reader.StateAsync(Cancel)).Rows);
        Assert.Equal(300, Assert.Single(await reader.AggregateAsync(All, GroupBy.HostId, null, null, null, Cancel)).Rows);
        // A range that cuts minutes in two has those that lie in it.
        var cut = new TimeRange(StoreFixture.Epoch.AddSeconds(50), StoreFixture.Epoch.AddSeconds(190));
        Assert.Equal((120, 60.0, 179.0), Assert.Single(await reader.AggregateAsync(cut, GroupBy.HostId, null, null, null, Cancel)) switch
        {
            var group => (group.Rows, group.Metrics[0].Min, group.Metrics[0].Max),
        });
        Assert.Equal([59.0, 119, 179, 239, 299], (await reader.SeriesAsync("a", "0", "power_w", All, TimeSpan.FromMinutes(1), Cancel)).Select(p => p.Last));
        Assert.Equal(299, Assert.Single(await reader.LatestAsync(null, null, Cancel)).Row.Metrics["power_w"]); // of its own

        Retain(new RetentionCutoffs(now, now, now));
        Assert.Empty(await reader.HostsAsync(Cancel));
        Assert.Equal(0, Number("SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM gpu_hour) + (SELECT count(*) FROM pack) + (SELECT count(*) FROM pack_data)"));
    }

    [Fact]
    public async Task As_many_metrics_as_a_store_may_have_are_folded_and_merged()
    {
        ModelRow Wide(int second) => StoreFixture.Row(second) with { Values = Enumerable.Range(0, MetricColumns.Max).ToDictionary(m => $"metric_{m}", m => (double)(m + second)) };
        _fixture.Write([.. Enumerable.Range(0, 90).Select(Wide)]);
        FoldAndMerge();
        using var reader = _fixture.Reader();
        var cut = new TimeRange(StoreFixture.Epoch, StoreFixture.Epoch.AddMinutes(1)); // from the minutes
        var metrics = Assert.Single(await reader.AggregateAsync(cut, GroupBy.HostId, null, null, null, Cancel)).Metrics;
        Assert.Equal(MetricColumns.Max, metrics.Count);
        Assert.All(metrics, m => Assert.Equal((60L, 59.0), (m.Count, m.Max - m.Min)));
    }

    [Fact]
    public async Task Times_from_the_year_1_to_9999_are_folded_and_merged()
    {
        long[] times = [RowBlock.TimeMin, RowBlock.TimeMin + 1, -3_600_001, -3_600_000, -60_001, -1, 0, 1, RowBlock.TimeMax - 1, RowBlock.TimeMax];
        _fixture.Write([.. times.Select((time, i) => StoreFixture.Row(0, value: i) with { Time = time })]);
        using var reader = _fixture.Reader();
        var all = new TimeRange(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        for (var state = 0; state < 2; state++)
        {
            Assert.Equal(times.Reverse(), (await reader.RowsAsync(new RowQuery(), Cancel)).Rows.Select(r => r.Timestamp.ToUnixTimeMilliseconds()));
            Assert.Equal((10L, 45.0, 9.0), Assert.Single(await reader.AggregateAsync(all, GroupBy.HostId, null, null, null, Cancel)).Metrics[0] switch
            {
                var m => (m.Count, m.Sum, m.Last),
            });
            var cut = new TimeRange(DateTimeOffset.UnixEpoch.AddMinutes(-1), DateTimeOffset.UnixEpoch.AddMinutes(1));
            Assert.Equal(3, Assert.Single(await reader.AggregateAsync(cut, GroupBy.HostId, null, null, null, Cancel)).Rows);
            FoldAndMerge();
        }
        Assert.Equal(1, Number("SELECT count(*) FROM chunk WHERE is_part")); // the year 9999 is not over
    }

    [Fact]
    public void Plain_rows_stay_until_they_are_folded()
    {
        _fixture.Write(StoreFixture.Row(1));
        _fixture.Time.Advance(TimeSpan.FromDays(500));
        var now = _fixture.Time.GetUtcNow();
        Retain(new RetentionCutoffs(now, now, now));
        Assert.Equal(1, Number("SELECT count(*) FROM sample"));
    }

    [Fact]
    public async Task Series_of_one_gpu_keep_the_labels_of_their_time()
    {
        ModelRow With(int second, string pod) => StoreFixture.Row(second, value: second) with { Gpu = StoreFixture.Gpu("a", "0", pod) };
        _fixture.Write(With(1, "train"), With(2, "train"), With(3, "serve"), With(4, ""));
        FoldAndMerge();
        var now = _fixture.Time.GetUtcNow();
        Retain(new RetentionCutoffs(now, default, default));
        using var reader = _fixture.Reader();
        var page = await reader.RowsAsync(new RowQuery { HostId = "a", GpuId = "0" }, Cancel);
        Assert.Equal(["4:", "3:serve", "2:train", "1:train"], page.Rows.Select(r => $"{r.Metrics["power_w"]}:{r.Gpu.Pod}"));
        Assert.Equal("", Assert.Single(await reader.LatestAsync(null, null, Cancel)).Row.Gpu.Pod);
        Assert.Equal((4L, 4.0), Assert.Single(await reader.AggregateAsync(All, GroupBy.GpuId, null, null, null, Cancel)) switch
        {
            var group => (group.Rows, group.Metrics[0].Last),
        });
    }

    [Fact]
    public async Task F31_a_folding_that_finds_no_room_leaves_the_rows_plain()
    {
        _fixture.Write([.. Enumerable.Range(0, 20_000).Select(r => StoreFixture.Row(r, $"h{r % 40}", value: Math.Sin(r)))]);
        var before = await TotalsAsync();
        using (var full = _fixture.Open(new TelemetryStoreOptions { PagesMax = (int)Number("PRAGMA page_count") + 4 }))
        {
            var error = Assert.Throws<StoreException>(() => full.Fold(TimeSpan.Zero));
            Assert.Equal((StoreFault.Full, true), (error.Fault, error.IsTransient));
        }
        Assert.Equal(0, Number("SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM pack) + (SELECT count(*) FROM gpu_hour)"));
        Assert.Equal(before, await TotalsAsync());
        Assert.Equal(20_000, _fixture.Store.Fold(TimeSpan.Zero).Rows);
        Assert.Equal(before, await TotalsAsync());
    }

    [Fact]
    public async Task F30_F31_several_processes_that_write_fold_merge_and_remove_at_once_keep_every_row_once()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var fixture = new StoreFixture(Patient);
        var others = Enumerable.Range(0, 2).Select(_ => Task.Run(() => KeepHouse(fixture, stop.Token), Cancel)).ToList();
        using var reader = fixture.Reader();
        var written = 0;
        for (var batch = 0; batch < 60; batch++)
        {
            fixture.Write([.. Enumerable.Range(0, 200).Select(i => StoreFixture.Row((batch * 40) + (i % 97), $"h{i % 5}", $"{i % 3}", value: 1))]);
            written += 200;
            var state = await reader.StateAsync(Cancel);
            var groups = await reader.AggregateAsync(All, GroupBy.HostId, null, null, null, Cancel);
            Assert.Equal((written, written, (double)written), (state.Rows, groups.Sum(g => g.Rows), groups.Sum(g => g.Metrics[0].Sum)));
        }
        await stop.CancelAsync();
        await Task.WhenAll(others);
        Assert.Equal(written, (await reader.StateAsync(Cancel)).Rows);
        Assert.Empty(Verification.Run(fixture.DatabasePath, Cancel).SelectMany(check => check.Findings));
    }

    [Fact]
    public async Task F32_an_upgrade_that_fails_half_way_leaves_the_old_store_and_is_done_by_the_next()
    {
        var path = Path.Combine(_fixture.Folder, "old.db");
        MakeVersion1(path);
        Sql(path, "CREATE TABLE open_hour (x)"); // the last of the new tables cannot be made
        Assert.Equal(StoreFault.Internal, Assert.Throws<StoreException>(() => TelemetryStore.Open(path)).Fault);
        Assert.Equal(1, Number("PRAGMA user_version", path));
        Assert.Equal(0, Number("SELECT count(*) FROM sqlite_schema WHERE name = 'history'", path));

        Sql(path, "DROP TABLE open_hour");
        using var store = TelemetryStore.Open(path);
        using var reader = new TelemetryReader(path);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(2, (await reader.RowsAsync(new RowQuery(), Cancel)).Total);
            Assert.Equal(2.5, Assert.Single(await reader.LatestAsync(null, null, Cancel)).Row.Metrics["power_w"]);
            Assert.Equal(i == 0 ? 2 : 0, store.Fold(TimeSpan.Zero).Rows);
        }
    }

    [Fact]
    public async Task A_flipped_bit_in_the_history_is_an_error_and_never_a_wrong_answer()
    {
        _fixture.Write([.. Enumerable.Range(0, 100).Select(i => StoreFixture.Row(i, value: i))]);
        FoldAndMerge();
        Sql(_fixture.DatabasePath, "UPDATE pack_data SET data = substr(data, 1, 20) || x'5A' || substr(data, 22); UPDATE gpu_hour SET totals = substr(totals, 1, 12) || x'5A' || substr(totals, 14)");
        using var reader = _fixture.Reader();
        var error = await Assert.ThrowsAsync<StoreException>(() => reader.RowsAsync(new RowQuery(), Cancel));
        Assert.Equal(StoreFault.Damaged, error.Fault);
        Assert.Equal(StoreFault.Damaged, (await Assert.ThrowsAsync<StoreException>(() => reader.AggregateAsync(All, GroupBy.HostId, null, null, null, Cancel))).Fault);
    }

    [Fact]
    public void Decoding_the_history_stops_when_the_query_is_cancelled()
    {
        _fixture.Write(StoreFixture.Row(1));
        FoldAndMerge();
        using var stop = new CancellationTokenSource();
        using var database = Database.Open(_fixture.DatabasePath, readOnly: true, TimeSpan.FromSeconds(5));
        database.StopOn(stop.Token);
        using var snapshot = new Snapshot(database);
        var chunk = Assert.Single(snapshot.Chunks.Of(ChunkLevel.Rows, Hours.Of(StoreFixture.Epoch.ToUnixTimeMilliseconds()), SeriesFilter.All));
        Assert.Equal(chunk.Bytes, snapshot.Chunks.Bytes(chunk).Length);
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => snapshot.Chunks.Bytes(chunk));
    }

    public void Dispose() => _fixture.Dispose();

    // Three that never rest: one of them may wait for the lock for long where the disk is slow.
    private static readonly TelemetryStoreOptions Patient = new() { BusyTimeout = TimeSpan.FromMinutes(2) };

    private static void KeepHouse(StoreFixture fixture, CancellationToken stop)
    {
        using var store = TelemetryStore.Open(fixture.DatabasePath, Patient); // the clock of the machine: the rows' hour is over
        while (!stop.IsCancellationRequested)
        {
            store.Fold(TimeSpan.Zero, rowsMax: 150);
            store.Merge(TimeSpan.Zero);
            store.Retain(new RetentionCutoffs(DateTimeOffset.MaxValue, default, default));
        }
    }

    private void FoldAndMerge()
    {
        while (_fixture.Store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        _fixture.Time.Advance(TimeSpan.FromHours(2));
        MergeAll();
    }

    private void MergeAll()
    {
        while (_fixture.Store.Merge(TimeSpan.FromMinutes(2)).HasMore)
        {
        }
    }

    private void Retain(RetentionCutoffs before)
    {
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        while (_fixture.Store.Retain(before).HasMore)
        {
        }
    }

    /// <summary>Packs hold chunks and nothing else, and no hour waits.</summary>
    private void AssertNothingIsLeftOver()
    {
        Assert.Equal(0, Number("SELECT count(*) FROM pack WHERE chunks <> (SELECT count(*) FROM chunk WHERE chunk.pack = pack.id)"));
        Assert.Equal(0, Number("SELECT count(*) FROM pack_data WHERE id NOT IN (SELECT id FROM pack)"));
        Assert.Equal(Number("SELECT count(*) FROM pack"), Number("SELECT count(*) FROM pack_data"));
        Assert.Equal(0, Number("SELECT count(*) FROM open_hour"));
        Assert.Equal(Number("SELECT rows FROM history"), Number("SELECT sum(rows) FROM chunk WHERE level = 0"));
    }

    private async Task<string> TotalsAsync()
    {
        using var reader = _fixture.Reader();
        var groups = await reader.AggregateAsync(All, GroupBy.HostId, null, null, null, Cancel);
        return string.Join(';', groups.Select(g => $"{g.HostId} {g.Rows} {g.Metrics[0].Sum:0.000000} {g.Metrics[0].Last}"));
    }

    /// <summary>A store as version 1 made it.</summary>
    private static void MakeVersion1(string path)
    {
        var time = StoreFixture.Epoch.ToUnixTimeMilliseconds();
        Sql(path, $"""
            PRAGMA application_id = {StoreSchema.ApplicationId}; PRAGMA user_version = 1;
            {StoreSchema.Tables}
            ALTER TABLE sample ADD COLUMN "power_w" REAL;
            INSERT INTO gpu VALUES (1, 'a', '0', 'u', 'm', 'd', '', '', '');
            INSERT INTO sample VALUES (5, {time}, 1, 1.5), (6, {time + 1_000}, 1, 2.5);
            INSERT INTO block VALUES (5, 2, {time}, {time + 1_000}, {time}, {time});
            INSERT INTO latest VALUES (1, {time + 1_000}, 6, {time}, 6);
            """);
    }

    private long Number(string sql) => Number(sql, _fixture.DatabasePath);

    private static long Number(string sql, string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void Sql(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
