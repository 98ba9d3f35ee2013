using System.Globalization;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Storage.Queries;

namespace Telemetry.Benchmarks.Store;

/// <summary>A fleet that is observed again and again: each step is one observation of every GPU.</summary>
internal abstract class ReportingFleet
{
    public const int GpusPerHost = 8;

    protected ReportingFleet(string name, string[] metrics, int gpus)
    {
        Name = name;
        Metrics = metrics;
        Gpus = [.. Enumerable.Range(0, gpus).Select(Labels)];
        Values = [.. metrics.Select(_ => new double[gpus])];
    }

    public string Name { get; }

    public IReadOnlyList<string> Metrics { get; }

    public IReadOnlyList<GpuLabels> Gpus { get; }

    /// <summary>What was observed last, by metric and GPU.</summary>
    public double[][] Values { get; }

    /// <summary>Observes every GPU once more.</summary>
    public abstract void Step();

    /// <summary>Whether a GPU took part in the last observation.</summary>
    public virtual bool Reports(int gpu) => true;

    private static GpuLabels Labels(int gpu)
    {
        var index = (gpu % GpusPerHost).ToString(CultureInfo.InvariantCulture);
        return new GpuLabels(
            string.Create(CultureInfo.InvariantCulture, $"gpu-node-{gpu / GpusPerHost + 1:00000}"), index,
            string.Create(CultureInfo.InvariantCulture, $"GPU-{gpu:x8}-0000-4000-8000-000000000000"),
            "NVIDIA H100 80GB HBM3", "nvidia" + index, "", "", "");
    }
}

/// <summary>
/// The six metrics that other systems' figures are stated in, as random walks: each second a metric stays or goes on by a
/// little, as those of busy GPUs do; clocks hardly move.
/// </summary>
internal sealed class WalkingFleet : ReportingFleet
{
    private static readonly (string Name, double Start, double Min, double Max, double Step, double Moves)[] Walks =
    [
        ("gpu_utilization", 90, 0, 100, 1, 0.5),
        ("memory_utilization", 50, 0, 100, 1, 0.4),
        ("memory_used_mb", 60_000, 0, 81_559, 64, 0.02),
        ("temperature_c", 60, 30, 90, 1, 0.1),
        ("power_w", 600, 70, 700, 0.1, 0.9),
        ("sm_clock_mhz", 1_980, 345, 1_980, 15, 0.05),
    ];

    private readonly Random _random = new(7);

    public WalkingFleet(int gpus) : base("random walks", [.. Walks.Select(walk => walk.Name)], gpus)
    {
        for (var metric = 0; metric < Walks.Length; metric++)
            Values[metric].AsSpan().Fill(Walks[metric].Start);
    }

    public override void Step()
    {
        for (var metric = 0; metric < Walks.Length; metric++)
        {
            var walk = Walks[metric];
            var isPower = walk.Name == "power_w";
            foreach (ref var value in Values[metric].AsSpan())
            {
                if (_random.NextDouble() < walk.Moves)
                    value = Math.Clamp(Math.Round(value + (isPower ? _random.Next(-10, 11) : _random.Next(2) * 2 - 1) * walk.Step, 1), walk.Min, walk.Max);
            }
        }
    }
}

/// <summary>
/// The simulator's fleet, its nine metrics. It draws nearly everything anew each second: the entropy of its power and its
/// memory is 8 and 7 bits a sample, and no compressor gets below.
/// </summary>
internal sealed class SimulatedFleet : ReportingFleet
{
    private readonly FleetSimulator _simulator;
    private readonly IEnumerator<DateTimeOffset> _scrapes;

    /// <param name="gpus">GPUs.</param>
    /// <param name="steps">How often it is observed, at most: one GPU is lost on the way.</param>
    public SimulatedFleet(int gpus, int steps) : base("simulator, most metrics drawn anew each second",
        ["gpu_utilization", "memory_utilization", "memory_used_mb", "memory_free_mb", "temperature_c", "power_w", "sm_clock_mhz", "memory_clock_mhz", "clock_event_reasons"],
        gpus)
    {
        _simulator = new FleetSimulator(new FleetShape { Hosts = (gpus + GpusPerHost - 1) / GpusPerHost, GpusPerHost = GpusPerHost, Steps = steps });
        _scrapes = _simulator.Scrapes().GetEnumerator();
    }

    public override void Step()
    {
        if (!_scrapes.MoveNext())
            throw new InvalidOperationException("the simulation is over");
        for (var gpu = 0; gpu < Gpus.Count; gpu++)
        {
            var g = _simulator.Gpus[gpu];
            ReadOnlySpan<double> values = [g.Utilization, g.MemoryUtilization, g.MemoryUsedMb, g.MemoryFreeMb, g.TemperatureC, g.PowerW, g.SmClockMhz, g.MemoryClockMhz, g.ClockEventReasons];
            for (var metric = 0; metric < values.Length; metric++)
                Values[metric][gpu] = values[metric];
        }
    }

    public override bool Reports(int gpu) => _simulator.Gpus[gpu].Reports;
}
