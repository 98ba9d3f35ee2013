using System.Diagnostics;
using System.Globalization;
using Telemetry.Benchmarks.Broker;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Benchmarks.Processes;
using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>What <see cref="TelemetryStore.Write"/> takes by itself, by the size of its transactions; beside it <c>sqlite3 .import</c>.</summary>
internal static class IngestBenchmark
{
    private static readonly int[] Sizes = [50, 1_000, 20_000, 50_000];
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5); // of a run: small transactions do not get through all rows
    private const int WarmUpRows = 20_000;

    private sealed record Run(long Rows, double Seconds, long Transactions, long FileBytes, long? WrittenBytes)
    {
        public double Rate => Rows / Seconds;
    }

    public static void Measure(StoreSettings settings, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder(settings.Folder);
        var fleet = new WalkingFleet(settings.Gpus ?? 1_000);
        var rows = Observe(fleet, settings.Rows);
        Lines.Note("payload", $"{rows.Count:n0} rows of {fleet.Gpus.Count:n0} GPUs, {fleet.Metrics.Count} metrics each, {fleet.Name}");
        Lines.Note("durability", $"each transaction is synced (SQLite WAL, synchronous=FULL) before the next; in this process, without a queue");
        foreach (var bytes in (int[])[8_192, 1_000_000])
        {
            var (median, p99) = DiskProbe.Measure(folder.Path, bytes);
            Lines.Note("disk", $"write and sync of {bytes:n0} B: median {median:n2} ms, p99 {p99:n2} ms");
        }
        Write(rows, WarmUpRows, WarmUpRows, folder, cancellationToken);
        Lines.Plain($"{"rows a transaction",-20}{"rows/s",12}{"syncs/s",10}{"file B/row",12}{"written B/row",15}  range of rows/s");
        var best = 0.0;
        foreach (var size in Sizes)
        {
            var runs = Enumerable.Range(0, settings.Runs).Select(_ => Write(rows, size, rows.Count, folder, cancellationToken)).OrderBy(run => run.Rate).ToList();
            var run = runs[runs.Count / 2];
            best = Math.Max(best, run.Rate);
            Lines.Plain(
                $"{size,-20:n0}{run.Rate,12:n0}{run.Transactions / run.Seconds,10:n0}{run.FileBytes / (double)run.Rows,12:n1}{run.WrittenBytes / (double)run.Rows,15:n0}  {runs[0].Rate:n0} to {runs[^1].Rate:n0}");
        }
        var csv = folder.File("rows.csv");
        using (var output = CsvFiles.Create(csv))
            rows.WriteCsv(output);
        SqliteImport.Compare(csv, rows.Count, folder.Path, best);
    }

    private static FleetRows Observe(ReportingFleet fleet, int count)
    {
        var rows = new FleetRows(fleet, count + fleet.Gpus.Count);
        for (var time = BenchmarkClock.Start; rows.Count < count; time += TimeSpan.FromSeconds(1))
            rows.Observe(time);
        return rows;
    }

    private static Run Write(FleetRows rows, int size, int count, TemporaryFolder folder, CancellationToken cancellationToken)
    {
        var path = folder.File(Guid.NewGuid().ToString("N") + ".db");
        var (written, transactions) = (0, 0);
        double seconds;
        long? bytes;
        using (var store = TelemetryStore.Open(path))
        {
            var writer = new PartitionWriter(store);
            var writtenBefore = BytesWritten();
            var began = Stopwatch.GetTimestamp();
            while (written < count && Stopwatch.GetElapsedTime(began) < TimeLimit)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var block = rows.Block(written, Math.Min(size, count - written));
                writer.Write(block);
                written += block.Count;
                transactions++;
            }
            seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            bytes = BytesWritten() - writtenBefore;
        }
        var file = new FileInfo(path).Length;
        foreach (var part in Directory.EnumerateFiles(folder.Path, Path.GetFileName(path) + "*"))
            File.Delete(part);
        return new Run(written, seconds, transactions, file, bytes);
    }

    /// <summary>What this process has handed to the system to be written, log and file; null where the system does not tell.</summary>
    private static long? BytesWritten()
    {
        const string path = "/proc/self/io";
        const string name = "wchar: ";
        return File.Exists(path) && File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? long.Parse(line[name.Length..], CultureInfo.InvariantCulture)
            : null;
    }
}
