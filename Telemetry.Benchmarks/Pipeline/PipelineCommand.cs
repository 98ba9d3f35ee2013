using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Benchmarks.Processes;
using Telemetry.Storage.Queries;

namespace Telemetry.Benchmarks.Pipeline;

/// <summary><c>pipeline</c>: rows a second from CSV to queryable, all services as processes on this machine, exactly once.</summary>
public static class PipelineCommand
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(10);

    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var rows = new Option<long>("--rows") { Description = "Rows to carry.", DefaultValueFactory = _ => 1_000_000 };
        var gpus = new Option<int>("--gpus") { Description = "GPUs in the fleet, in hosts of eight.", DefaultValueFactory = _ => 1_000 };
        var streamers = new Option<int>("--streamers") { Description = "Streamer processes.", DefaultValueFactory = _ => 1 };
        var collectors = new Option<int>("--collectors") { Description = "Collector processes.", DefaultValueFactory = _ => 1 };
        var limit = new Option<int>("--max-messages-per-partition") { Description = "The broker's limit.", DefaultValueFactory = _ => 100_000 };
        var durable = new Option<bool>("--durable") { Description = "The broker acknowledges when records are synced, instead of keeping them in memory only." };
        var command = new Command("pipeline", "Rows a second from CSV to queryable, compared with sqlite3 .import of the same file.")
        {
            rows, gpus, streamers, collectors, limit, durable,
        };
        command.SetAction((result, cancellationToken) => RunAsync(
            result.GetValue(rows), result.GetValue(gpus), result.GetValue(streamers), result.GetValue(collectors), result.GetValue(limit), result.GetValue(durable), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(long rows, int gpus, int streamers, int collectors, int limit, bool durable, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("telemetry-pipeline-").FullName;
        try
        {
            var csv = Path.Combine(folder, "rows.csv");
            WriteCsv(csv, rows, gpus);
            Console.WriteLine($"machine     {Machine.Describe()}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"payload     {rows:n0} rows of {gpus:n0} GPUs, six metrics each, {new FileInfo(csv).Length / 1e6:n1} MB of CSV"));
            Console.WriteLine($"processes   1 broker ({(durable ? "durable: acknowledged when synced" : "memory")}), {streamers} streamer, {collectors} collector, 1 gateway; {limit:n0} records a partition, 4 partitions");
            Console.WriteLine("durability  a row is counted when the collector's transaction is synced (SQLite WAL, synchronous=FULL) and a reader sees it");
            var setup = new PipelineSetup
            {
                Folder = folder,
                CsvFile = csv,
                BrokerFlags = ["--max-messages-per-partition", limit.ToString(CultureInfo.InvariantCulture), .. durable ? (string[])["--data-path", Path.Combine(folder, "queue")] : []],
            };
            TimeSpan elapsed;
            await using (var pipeline = new PipelineProcesses(setup))
            {
                elapsed = await CarryAsync(pipeline, rows, streamers, collectors, cancellationToken);
                Report(pipeline, rows, elapsed, folder);
            }
            SqliteImport.Compare(csv, rows, folder, rows / elapsed.TotalSeconds); // with the cores to itself
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WriteCsv(string path, long rows, int gpus)
    {
        var fleet = new FleetSimulator(new FleetShape
        {
            Hosts = Math.Max(1, gpus / 8),
            GpusPerHost = Math.Min(8, gpus),
            Steps = (int)(rows / Math.Max(1, gpus / 8 * Math.Min(8, gpus))) + 1,
            Interval = TimeSpan.FromSeconds(1),
        });
        using var writer = CsvFiles.Create(path);
        var written = CsvFiles.WriteSixMetrics(fleet, writer, rows);
        if (written != rows)
            throw new InvalidOperationException($"{written} rows were written, not {rows}");
    }

    private static async Task<TimeSpan> CarryAsync(PipelineProcesses pipeline, long rows, int streamers, int collectors, CancellationToken cancellationToken)
    {
        pipeline.StartBroker();
        for (var i = 0; i < collectors; i++)
            pipeline.StartCollector();
        pipeline.StartGateway();
        using var http = new HttpClient { BaseAddress = pipeline.GatewayAddress };
        using var reader = new TelemetryReader(pipeline.DatabasePath);
        await UntilAsync(pipeline, () => Task.FromResult(reader.IsReady), cancellationToken);

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < streamers; i++)
            pipeline.StartStreamer();
        await UntilAsync(pipeline, async () => (await reader.StateAsync(cancellationToken)).Rows >= rows, cancellationToken);
        return watch.Elapsed;
    }

    private static void Report(PipelineProcesses pipeline, long rows, TimeSpan elapsed, string folder)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"pipeline    {rows / elapsed.TotalSeconds,12:n0} rows/s   {elapsed.TotalSeconds:n2} s from the streamers' start to the last row queryable"));
        foreach (var process in pipeline.Processes.Where(p => !p.HasExited))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {process.Name,-10}{process.CpuTime?.TotalSeconds,8:n2} s CPU {process.ResidentBytes / 1048576.0,8:n0} MiB"));
        }
        foreach (var line in pipeline.Processes.Where(p => p.Name == "Streamer").SelectMany(p => p.Lines).Where(line => line.Contains("done:", StringComparison.Ordinal)))
            Console.WriteLine($"  {"Streamer",-10}{line.Split("] ")[^1]}");
        var bytes = Directory.EnumerateFiles(folder, "telemetry.db*").Sum(file => new FileInfo(file).Length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"store       {bytes / (double)rows,12:n1} B a row"));
    }

    private static async Task UntilAsync(PipelineProcesses pipeline, Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (pipeline.Processes.FirstOrDefault(p => p.HasExited && p.Name != "Streamer") is { } dead)
                throw new InvalidOperationException($"{dead.Name} ended:\n{dead.Tail()}");
            if (watch.Elapsed > TimeLimit)
                throw new TimeoutException($"not done after {TimeLimit}:\n{string.Join('\n', pipeline.Processes.Select(p => p.Name + "\n" + p.Tail()))}");
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
