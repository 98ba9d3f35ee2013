using System.CommandLine;

namespace Telemetry.Benchmarks.Broker;

/// <summary><c>broker</c>: what the queue takes, gives and costs; the broker is a process of its own on this machine.</summary>
public static class BrokerCommand
{
    private static readonly string[] Modes = ["memory", "durable", "relaxed"];
    private static readonly string[] Scenarios = ["publish", "fetch", "both", "latency", "client", "recovery", "idle"];

    /// <summary>The command, with its options.</summary>
    public static Command Create()
    {
        var mode = Several("--mode", "When the broker acknowledges.", Modes);
        mode.AcceptOnlyFromAmong(Modes);
        var scenario = Several("--scenario", "What is measured.", Scenarios);
        scenario.AcceptOnlyFromAmong(Scenarios);
        var batch = Several("--batch", "Records of a batch.", 1, 100, 1_000);
        var producers = Several("--producers", "Producers, each with a connection of its own.", 1, 8);
        var seconds = WholeNumbers.Option("--seconds", "How long each figure is measured, in seconds.", 5, min: 1);
        var warmUp = WholeNumbers.Option("--warm-up", "How long it runs before, in seconds.", 3, min: 0);
        var runs = WholeNumbers.Option("--runs", "How often each figure is measured; the median is shown, and of throughput the range.", 1, min: 1);
        var bytes = WholeNumbers.Option("--record-bytes", "Bytes of a record.", 200, min: 1);
        var rate = new Option<int?>("--rate") { Description = "Records a second of the latency scenario; half of what was measured without it." };
        var mib = WholeNumbers.Option("--recovery-mib", "The log that is recovered, in MiB.", 1024, min: 1);
        var data = new Option<string>("--data") { Description = "Where a folder for the logs is made, and removed again.", DefaultValueFactory = _ => Path.GetTempPath() };
        var json = new Option<bool>("--json") { Description = "Every run as JSON." };
        var command = new Command("broker", "What the queue takes, gives and costs: in memory, durable and relaxed.")
        {
            scenario, mode, batch, producers, seconds, warmUp, runs, bytes, rate, mib, data, json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = Directory.CreateDirectory(Path.Combine(result.GetValue(data)!, "telemetry-broker-" + Guid.NewGuid().ToString("N"))).FullName;
            try
            {
                var benchmark = new BrokerBenchmark(folder, result.GetValue(bytes), TimeSpan.FromSeconds(result.GetValue(warmUp)), TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(runs))
                {
                    Scenarios = [.. result.GetValue(scenario)!],
                    Cases = [.. from m in result.GetValue(mode)! from b in result.GetValue(batch)! from p in result.GetValue(producers)! select new BrokerCase(Enum.Parse<Durability>(m, ignoreCase: true), b, p)],
                    Rate = result.GetValue(rate),
                    RecoveryBytes = (long)result.GetValue(mib) << 20,
                };
                await benchmark.RunAsync(result.GetValue(json) ? new JsonReport() : new TableReport(), cancellationToken);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static Option<T[]> Several<T>(string name, string description, params T[] all) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => all,
        AllowMultipleArgumentsPerToken = true,
    };
}
