using System.CommandLine;

namespace Telemetry.Benchmarks.Store;

/// <summary><c>store</c>: what the store takes, keeps and answers.</summary>
public static class StoreCommand
{
    private static readonly Dictionary<string, Func<StoreSettings, CancellationToken, Task>> Scenarios = new()
    {
        ["chunks"] = (settings, _) => Done(() => ChunkBenchmark.Run(settings)),
        ["ingest"] = (settings, cancellationToken) => Done(() => IngestBenchmark.Measure(settings, cancellationToken)),
        ["size"] = (settings, cancellationToken) => Done(() => SizeBenchmark.Measure(settings, cancellationToken)),
        ["queries"] = QueryBenchmark.MeasureAsync,
        ["sustained"] = SustainedBenchmark.MeasureAsync,
    };

    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var scenario = new Option<string[]>("--scenario")
        {
            Description = "What is measured. chunks: the codec alone. ingest: writes alone. size: bytes a sample in the file. queries: latencies, idle and under load. sustained: a row of each GPU a second, with folding, merging and retention.",
            DefaultValueFactory = _ => [.. Scenarios.Keys],
            AllowMultipleArgumentsPerToken = true,
        };
        scenario.AcceptOnlyFromAmong([.. Scenarios.Keys]);
        var gpus = WholeNumbers.Optional("--gpus", "GPUs of the fleet, eight on each host. Without it 64 for chunks, 100,000 for sustained, 1,000 for the others.");
        var runs = WholeNumbers.Option("--runs", "How often each figure of chunks and ingest is measured; the best or the median is shown.", 5);
        var rows = WholeNumbers.Option("--rows", "Rows that ingest writes.", 1_000_000);
        var hours = WholeNumbers.Optional("--hours", "Hours of history. Without it 3 for size, 24 for queries, none before sustained.");
        var interval = WholeNumbers.Option("--interval", "Seconds between two rows of a GPU in the history.", 1);
        var seconds = WholeNumbers.Optional("--seconds", "How long is measured. Without it each query 5, sustained 180.");
        var speed = WholeNumbers.Option("--speed", "How many seconds of rows the sustained run writes in a second.", 1);
        var data = new Option<string>("--data") { Description = "Where a folder for the databases is made, and removed again.", DefaultValueFactory = _ => Path.GetTempPath() };
        var command = new Command("store", "What the store takes, keeps and answers.") { scenario, gpus, runs, rows, hours, interval, seconds, speed, data };
        command.SetAction(async (result, cancellationToken) =>
        {
            Lines.Note("machine", $"{Machine.Describe()}");
            var settings = new StoreSettings
            {
                Gpus = result.GetValue(gpus),
                Runs = result.GetValue(runs),
                Rows = result.GetValue(rows),
                Hours = result.GetValue(hours),
                Interval = TimeSpan.FromSeconds(result.GetValue(interval)),
                Seconds = result.GetValue(seconds),
                Speed = result.GetValue(speed),
                Folder = result.GetValue(data)!,
            };
            foreach (var name in result.GetValue(scenario)!)
            {
                Console.Out.WriteLine();
                Lines.Note("scenario", $"{name}");
                await Scenarios[name](settings, cancellationToken);
            }
        });
        return command;
    }

    private static Task Done(Action work)
    {
        work();
        return Task.CompletedTask;
    }
}

/// <summary>What the scenarios of the store are measured with.</summary>
internal sealed record StoreSettings
{
    /// <summary>GPUs of the fleet; null for as many as the scenario has by itself.</summary>
    public int? Gpus { get; init; }

    /// <summary>How often each figure is measured.</summary>
    public int Runs { get; init; }

    /// <summary>Rows to write.</summary>
    public int Rows { get; init; }

    /// <summary>Hours of history; null for as many as the scenario has by itself.</summary>
    public int? Hours { get; init; }

    /// <summary>The time between two rows of a GPU in a history.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>How long is measured; null for as long as the scenario does by itself.</summary>
    public int? Seconds { get; init; }

    /// <summary>How many seconds of rows are written in a second.</summary>
    public int Speed { get; init; }

    /// <summary>Where a folder for the databases is made.</summary>
    public required string Folder { get; init; }
}
