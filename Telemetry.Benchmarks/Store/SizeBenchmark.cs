using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Benchmarks.Store;

/// <summary>
/// Bytes a sample in the real file, when everything is folded and merged, the plain rows have left and the free pages are
/// given back. A sample is one value of one metric.
/// </summary>
internal static class SizeBenchmark
{
    public static void Measure(StoreSettings settings, CancellationToken cancellationToken)
    {
        var gpus = settings.Gpus ?? 1_000;
        var length = TimeSpan.FromHours(settings.Hours ?? 3);
        var steps = (int)(length / settings.Interval);
        Lines.Note("budget", $"at most 0.30 B a sample on random walks at 1 Hz, all included");
        foreach (var fleet in (ReportingFleet[])[new WalkingFleet(gpus), new SimulatedFleet(gpus, steps)])
        {
            using var folder = new TemporaryFolder(settings.Folder);
            var path = folder.File("telemetry.db");
            long rows;
            using (var history = History.Write(path, fleet, length, settings.Interval, cancellationToken))
            {
                rows = history.Count;
                history.Upkeep.CatchUp(TimeSpan.Zero, cancellationToken);
                // Two hours later nothing is plain or in parts any more.
                history.Clock.Set(history.Clock.GetUtcNow() + TimeSpan.FromHours(2));
                history.Upkeep.CatchUp(TimeSpan.Zero, cancellationToken);
            }
            using var database = Database.Open(path, readOnly: false, TimeSpan.FromSeconds(5));
            database.Execute("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
            Report(database, new FileInfo(path).Length, rows, fleet);
        }
    }

    private static void Report(Database database, long fileBytes, double rows, ReportingFleet fleet)
    {
        var samples = rows * fleet.Metrics.Count;
        var plain = database.Scalar("SELECT count(*) FROM sample") ?? 0;
        var parts = database.Scalar("SELECT count(*) FROM chunk WHERE is_part = 1") ?? 0;
        if (plain > 0 || parts > 0)
            throw new InvalidOperationException($"{plain} rows are still plain, {parts} chunks are parts");
        var names = MetricIds.Read(database);
        var metrics = new Dictionary<int, long>();
        var (chunks, times, records) = (0L, 0L, 0L);
        using var table = new ChunkTable(database);
        using var select = database.Prepare($"SELECT {ChunkEntry.Columns} FROM chunk WHERE level = {(int)ChunkLevel.Rows}");
        var reader = new ChunkReader();
        while (select.Step())
        {
            var entry = ChunkEntry.Read(select);
            reader.Open(table.Bytes(entry));
            chunks++;
            times += reader.TimesBytes;
            records += entry.Bytes;
            foreach (var metric in reader.Metrics)
                metrics[metric] = metrics.GetValueOrDefault(metric) + reader.BytesOf(metric);
        }
        var minutes = database.Scalar($"SELECT sum(bytes) FROM chunk WHERE level = {(int)ChunkLevel.Minutes}") ?? 0;
        var hours = database.Scalar("SELECT sum(length(totals)) FROM gpu_hour") ?? 0;
        var free = (database.Scalar("PRAGMA freelist_count") ?? 0) * (database.Scalar("PRAGMA page_size") ?? 0);
        Lines.Note("file", $"{fileBytes / samples,8:n3} B a sample in all; {fileBytes / 1e6:n1} MB, {fileBytes / rows:n2} B a row, {rows / chunks:n0} rows a chunk");
        Lines.Note("  records", $"{records / samples,8:n3}");
        foreach (var metric in fleet.Metrics)
            Lines.Plain($"    {metric,-26}{metrics[names.Of(metric)] / rows,8:n3}");
        Lines.Plain($"    {"times, a row",-26}{times / rows,8:n3}");
        Lines.Plain($"    {"directories, a row",-26}{(records - times - metrics.Values.Sum()) / rows,8:n3}");
        Lines.Note("  minutes", $"{minutes / samples,8:n3}");
        Lines.Note("  hours", $"{hours / samples,8:n3}");
        Lines.Note("  the rest", $"{(fileBytes - records - minutes - hours) / samples,8:n3} tables, indexes, ends of pages{(free > 0 ? $", of it {free:n0} B free" : "")}");
    }
}
