using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class ExportTests : IDisposable
{
    private readonly StoreFixture _fixture = new();
    private readonly List<ModelRow> _rows = [];
    private readonly Random _random = new(7);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Every_row_comes_once_by_hour_series_time_and_writing_whether_folded_or_not(bool folds, bool merges)
    {
        for (var round = 0; round < 12; round++)
        {
            Write(300);
            if (folds && round % 3 == 1)
                _fixture.Store.Fold(TimeSpan.Zero);
            if (merges && round == 7)
                Merge();
        }
        Assert.Equal(Expected(_rows), await ReadAsync(new ExportQuery()));
        var query = new ExportQuery { HostId = "b", Start = StoreFixture.Epoch.AddMinutes(-40), End = StoreFixture.Epoch.AddMinutes(70), Metrics = ["power_w"] };
        Assert.Equal(
            Expected(_rows.Where(r => r.Gpu.HostId == "b" && r.Time >= query.Start.Value.ToUnixTimeMilliseconds() && r.Time < query.End.Value.ToUnixTimeMilliseconds()), "power_w"),
            await ReadAsync(query));
        Assert.Empty(await ReadAsync(new ExportQuery { HostId = "none" }));
    }

    [Fact]
    public async Task Times_that_are_far_apart_are_exported_at_once()
    {
        _fixture.Write([.. new[] { Telemetry.Storage.RowBlock.TimeMin, 0, Telemetry.Storage.RowBlock.TimeMax }.Select(t => new ModelRow(t, StoreFixture.Gpu("a", "0"), []))]);
        Assert.Equal(3, (await ReadAsync(new ExportQuery())).Count);
        _fixture.Store.Fold(TimeSpan.Zero);
        Assert.Equal(3, (await ReadAsync(new ExportQuery())).Count);
    }

    [Fact]
    public async Task Every_row_that_was_there_comes_once_although_others_come_and_all_are_folded_meanwhile()
    {
        for (var round = 0; round < 30; round++)
            Write(1000);
        var before = Expected(_rows);
        using var reader = new TelemetryReader(_fixture.DatabasePath) { SnapshotMax = TimeSpan.Zero };
        var read = new List<string>();
        await foreach (var row in reader.ExportAsync(new ExportQuery(), TestContext.Current.CancellationToken))
        {
            read.Add(Text(row));
            if (read.Count % 4000 == 0)
            {
                Write(20);
                _fixture.Store.Fold(TimeSpan.Zero);
                Merge();
            }
        }
        Assert.Empty(before.Except(read));
        Assert.Equal(read.Count, read.Distinct().Count());
        Assert.Empty(read.Except(Expected(_rows)));
    }

    [Fact]
    public async Task An_export_that_nobody_takes_keeps_the_store_in_no_old_state()
    {
        for (var round = 0; round < 30; round++)
            Write(1000);
        using var reader = new TelemetryReader(_fixture.DatabasePath) { SnapshotMax = TimeSpan.Zero };
        await using var rows = reader.ExportAsync(new ExportQuery(), TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await rows.MoveNextAsync());
        Write(1);
        Assert.True(_fixture.Store.EmptyLog(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task An_export_that_is_left_or_fails_ends()
    {
        Write(5000);
        using (var reader = _fixture.Reader())
        {
            await foreach (var _ in reader.ExportAsync(new ExportQuery(), TestContext.Current.CancellationToken))
                break;
        }
        _fixture.Store.Dispose();
        File.WriteAllText(_fixture.DatabasePath, new string('x', 10_000));
        await Assert.ThrowsAsync<Telemetry.Storage.StoreException>(() => ReadAsync(new ExportQuery()));
    }

    private void Write(int count)
    {
        var rows = Enumerable.Range(0, count).Select(i => new ModelRow(
            StoreFixture.Epoch.ToUnixTimeMilliseconds() + (_random.Next(-7200, 7200) * 1000L),
            StoreFixture.Gpu(_random.Next(2) == 0 ? "a" : "b", _random.Next(3).ToString(System.Globalization.CultureInfo.InvariantCulture)),
            new() { ["power_w"] = _rows.Count + i, [_random.Next(2) == 0 ? "temperature_c" : "sm_clock_mhz"] = _random.Next(5) })).ToArray();
        _rows.AddRange(rows);
        _fixture.Write(rows);
    }

    private void Merge()
    {
        _fixture.Time.Advance(TimeSpan.FromHours(3));
        while (_fixture.Store.Merge(TimeSpan.Zero).HasMore)
        {
        }
    }

    private async Task<List<string>> ReadAsync(ExportQuery query)
    {
        using var reader = _fixture.Reader();
        return [.. (await reader.ExportAsync(query, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken)).Select(Text)];
    }

    private List<string> Expected(IEnumerable<ModelRow> rows, string? metric = null)
    {
        var series = _rows.Select(r => r.Gpu).Distinct().ToList();
        return [.. rows.OrderBy(r => r.Time / 3_600_000).ThenBy(r => series.IndexOf(r.Gpu)).ThenBy(r => r.Time)
            .Select(r => Text(r.Time, r.Gpu, r.Values.Where(v => metric is null || v.Key == metric)))];
    }

    private static string Text(TelemetryRow row) => Text(row.Timestamp.ToUnixTimeMilliseconds(), row.Gpu, row.Metrics);

    private static string Text(long time, GpuLabels gpu, IEnumerable<KeyValuePair<string, double>> values) => $"{time} {gpu.HostId} {gpu.GpuId} {NaiveStore.Text(values)}";

    public void Dispose() => _fixture.Dispose();
}
