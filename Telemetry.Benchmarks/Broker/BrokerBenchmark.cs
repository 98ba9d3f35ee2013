using System.Globalization;

namespace Telemetry.Benchmarks.Broker;

/// <summary>All that <c>broker</c> measures, in one run on one machine.</summary>
/// <param name="folder">For the logs.</param>
/// <param name="recordBytes">Bytes of a record.</param>
/// <param name="warmUp">How long the load runs before a figure is measured.</param>
/// <param name="duration">How long each figure is measured.</param>
/// <param name="runs">How often.</param>
internal sealed class BrokerBenchmark(string folder, int recordBytes, TimeSpan warmUp, TimeSpan duration, int runs)
{
    /// <summary>What is measured.</summary>
    public required HashSet<string> Scenarios { get; init; }

    /// <summary>What is compared.</summary>
    public required IReadOnlyList<BrokerCase> Cases { get; init; }

    /// <summary>Records a second of the latency scenario; null: half of what was measured.</summary>
    public int? Rate { get; init; }

    /// <summary>The log that is recovered.</summary>
    public required long RecoveryBytes { get; init; }

    /// <summary>Measures it and tells it line by line.</summary>
    public async Task RunAsync(IReport report, CancellationToken cancellationToken)
    {
        report.Note("machine", Machine.Describe());
        report.Note("payload", Invariant($"records of {recordBytes} B; {MeasuredBroker.Partitions} partitions; generator and broker share the cores"));
        report.Note("durability", "memory: no disk. durable: acknowledged after it is synced. relaxed: acknowledged when written, synced every 100 ms");
        report.Note("clients", "the generated gRPC client, one stream a producer; QueueProducer where it says so. Fetch: one connection, all partitions");
        report.Note("latency", Invariant($"open-loop at {Rate?.ToString("n0", CultureInfo.InvariantCulture) ?? "half of the measured"} records/s, in ms from when a publish was due (the generator's timer has 1 ms)"));
        foreach (var bytes in (int[])[recordBytes, 1_000 * recordBytes])
        {
            var (median, p99) = DiskProbe.Measure(folder, bytes);
            report.Note("disk", Invariant($"write and sync of {bytes:n0} B: median {median:n2} ms, p99 {p99:n2} ms"));
        }
        foreach (var mode in Cases.GroupBy(measured => measured.Mode))
            await RunModeAsync(mode.Key, [.. mode], report, cancellationToken);
        if (Scenarios.Contains("recovery"))
            await RecoverAsync(report, cancellationToken);
    }

    private async Task RunModeAsync(Durability mode, IReadOnlyList<BrokerCase> cases, IReport report, CancellationToken cancellationToken)
    {
        await using var broker = await MeasuredBroker.StartAsync(mode, Folder(), cancellationToken);
        if (Scenarios.Contains("idle"))
        {
            await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
            report.Note("idle", Invariant($"{mode}: {broker.ResidentBytes / 1048576.0:n0} MiB resident, serving {broker.ServingAfter.TotalSeconds:n2} s after its start"));
        }
        foreach (var measured in cases)
        {
            double? load = null;
            if (Scenarios.Contains("publish") || (Scenarios.Contains("latency") && Rate is null))
                load = (await RepeatAsync(run => run.PublishAsync(byClient: false, cancellationToken))).In;
            if (Scenarios.Contains("client"))
                await RepeatAsync(run => run.PublishAsync(byClient: true, cancellationToken));
            if (Scenarios.Contains("fetch"))
                await RepeatAsync(run => run.FetchAsync(cancellationToken));
            if (Scenarios.Contains("both"))
                await RepeatAsync(run => run.BothAsync(cancellationToken));
            if (Scenarios.Contains("latency"))
                await RepeatAsync(run => run.LatencyAsync(Rate ?? load!.Value / 2, cancellationToken));

            async Task<Measurement> RepeatAsync(Func<BrokerRun, Task<Measurement>> measure)
            {
                var lines = new List<Measurement>();
                for (var i = 0; i < runs; i++)
                    lines.Add(await measure(new BrokerRun(broker, measured, recordBytes, warmUp, duration)));
                report.Add(lines);
                return Measurement.Median(lines);
            }
        }
    }

    private async Task RecoverAsync(IReport report, CancellationToken cancellationToken)
    {
        var log = Folder();
        await using (var broker = await MeasuredBroker.StartAsync(Durability.Durable, log, cancellationToken))
        {
            var run = new BrokerRun(broker, new BrokerCase(Durability.Durable, 1_000, 1), recordBytes, warmUp, duration);
            await run.FillAsync(RecoveryBytes / recordBytes, cancellationToken);
            await broker.KillAsync(cancellationToken);
        }
        for (var i = 0; i < runs; i++)
        {
            await using var recovered = await MeasuredBroker.StartAsync(Durability.Durable, log, cancellationToken);
            report.Note("recovery", Invariant($"{RecoveryBytes >> 20:n0} MiB after kill -9: serving {recovered.ServingAfter.TotalSeconds:n2} s after the start of the process; {recovered.RecoveryLine}"));
            await recovered.KillAsync(cancellationToken);
        }
    }

    private string Folder() => Path.Combine(folder, Guid.NewGuid().ToString("N"));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
