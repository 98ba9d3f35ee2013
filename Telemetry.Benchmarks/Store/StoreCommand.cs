using System.CommandLine;
using System.Globalization;

namespace Telemetry.Benchmarks.Store;

/// <summary><c>store</c>: what the store takes, keeps and answers.</summary>
public static class StoreCommand
{
    private static readonly Dictionary<string, Action<StoreSettings>> Scenarios = new()
    {
        ["chunks"] = ChunkBenchmark.Run,
    };

    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var scenario = new Option<string[]>("--scenario")
        {
            Description = "What is measured.",
            DefaultValueFactory = _ => [.. Scenarios.Keys],
            AllowMultipleArgumentsPerToken = true,
        };
        scenario.AcceptOnlyFromAmong([.. Scenarios.Keys]);
        var gpus = Positive("--gpus", "GPUs of the fleet, eight on each host.", 64);
        var runs = Positive("--runs", "How often each figure is measured; the best is shown.", 5);
        var command = new Command("store", "What the store takes, keeps and answers.") { scenario, gpus, runs };
        command.SetAction(result =>
        {
            Console.Out.WriteLine(Machine.Describe());
            var settings = new StoreSettings(result.GetValue(gpus), result.GetValue(runs));
            foreach (var name in result.GetValue(scenario)!)
                Scenarios[name](settings);
        });
        return command;
    }

    private static Option<int> Positive(string name, string description, int defaultValue)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => defaultValue };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name}: expected a whole number of at least 1"));
        });
        return option;
    }
}

/// <summary>What all scenarios of the store share.</summary>
/// <param name="Gpus">GPUs of the fleet.</param>
/// <param name="Runs">How often each figure is measured.</param>
public sealed record StoreSettings(int Gpus, int Runs);
