using System.CommandLine;

namespace Telemetry.Benchmarks.Fleet;

/// <summary><c>generate</c>: writes sample telemetry.</summary>
public static class GenerateCommand
{
    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var format = new Option<string>("--format") { Description = "wide or dcgm.", DefaultValueFactory = _ => "wide" };
        format.AcceptOnlyFromAmong("wide", "dcgm");
        var output = new Option<string>("--output") { Description = "The file to write.", Required = true };
        var hosts = WholeNumbers.Option("--hosts", "Hosts.", 8);
        var gpus = WholeNumbers.Option("--gpus", "GPUs on each host.", 8);
        var steps = WholeNumbers.Option("--steps", "Observations of each GPU.", 60);
        var seconds = WholeNumbers.Option("--interval-seconds", "Seconds between two observations of a GPU.", 10);
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same file.", DefaultValueFactory = _ => 1 };
        var command = new Command("generate", "Writes lifelike sample telemetry as CSV.") { format, output, hosts, gpus, steps, seconds, seed };
        command.SetAction(result =>
        {
            var fleet = new FleetSimulator(new FleetShape
            {
                Hosts = result.GetValue(hosts),
                GpusPerHost = result.GetValue(gpus),
                Steps = result.GetValue(steps),
                Interval = TimeSpan.FromSeconds(result.GetValue(seconds)),
                Seed = result.GetValue(seed),
            });
            var path = result.GetValue(output)!;
            using var writer = CsvFiles.Create(path);
            var rows = result.GetValue(format) == "dcgm" ? CsvFiles.WriteDcgm(fleet, writer) : CsvFiles.WriteWide(fleet, writer);
            Console.Out.WriteLine($"{path}: {rows} rows of {fleet.Gpus.Count} GPUs");
        });
        return command;
    }
}
