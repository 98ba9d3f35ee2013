using Telemetry.Benchmarks.Fleet;

namespace Telemetry.Benchmarks.Store;

/// <summary>A fleet's history as columns: for each GPU its times and metrics.</summary>
internal sealed class ChunkFleet
{
    private const long Start = 1_793_865_600_000; // 2026-11-05 08:00 UTC

    private ChunkFleet(string name, string[] metrics, int gpus, int rows)
    {
        Name = name;
        Metrics = metrics;
        Times = new long[rows];
        Values = [.. Enumerable.Range(0, gpus).Select(_ => metrics.Select(_ => new double[rows]).ToArray())];
    }

    public string Name { get; }

    public string[] Metrics { get; }

    /// <summary>The same for all: every GPU is asked at the same moments.</summary>
    public long[] Times { get; }

    /// <summary>By GPU and metric.</summary>
    public double[][][] Values { get; }

    /// <summary>
    /// The simulator at 1 Hz, its nine metrics. It draws nearly everything anew each second: the entropy of its power and
    /// its memory is 8 and 7 bits a sample, and no compressor gets below.
    /// </summary>
    public static ChunkFleet Simulated(int gpus, int rows)
    {
        var fleet = new ChunkFleet("simulator: 1 Hz, most metrics drawn anew each second",
            ["gpu_utilization", "memory_utilization", "memory_used_mb", "memory_free_mb", "temperature_c", "power_w", "sm_clock_mhz", "memory_clock_mhz", "clock_event_reasons"],
            gpus, rows);
        var simulator = new FleetSimulator(new FleetShape { Hosts = (gpus + 7) / 8, Steps = rows, Interval = TimeSpan.FromSeconds(1) });
        var row = 0;
        foreach (var time in simulator.Scrapes())
        {
            fleet.Times[row] = time.ToUnixTimeMilliseconds();
            for (var gpu = 0; gpu < gpus; gpu++)
            {
                var g = simulator.Gpus[gpu];
                double[] values = [g.Utilization, g.MemoryUtilization, g.MemoryUsedMb, g.MemoryFreeMb, g.TemperatureC, g.PowerW, g.SmClockMhz, g.MemoryClockMhz, g.ClockEventReasons];
                for (var metric = 0; metric < values.Length; metric++)
                    fleet.Values[gpu][metric][row] = g.Reports ? values[metric] : double.NaN;
            }
            row++;
        }
        return fleet;
    }

    /// <summary>
    /// The six metrics that other systems' figures are stated in, as random walks: each second a metric stays or goes on by
    /// a little, as those of busy GPUs do; clocks hardly move. Times jitter by up to <paramref name="jitterMs"/>.
    /// </summary>
    public static ChunkFleet Walking(int gpus, int rows, int jitterMs)
    {
        (string Name, double Start, double Min, double Max, double Step, double Moves)[] walks =
        [
            ("gpu_utilization", 90, 0, 100, 1, 0.5),
            ("memory_utilization", 50, 0, 100, 1, 0.4),
            ("memory_used_mb", 60_000, 0, 81_559, 64, 0.02),
            ("temperature_c", 60, 30, 90, 1, 0.1),
            ("power_w", 600, 70, 700, 0.1, 0.9),
            ("sm_clock_mhz", 1_980, 345, 1_980, 15, 0.05),
        ];
        var fleet = new ChunkFleet($"random walks: 1 Hz, times within {jitterMs} ms", [.. walks.Select(w => w.Name)], gpus, rows);
        var random = new Random(7);
        for (var row = 0; row < rows; row++)
            fleet.Times[row] = Start + row * 1_000L + (jitterMs == 0 ? 0 : random.Next(jitterMs + 1));
        for (var gpu = 0; gpu < gpus; gpu++)
        {
            for (var metric = 0; metric < walks.Length; metric++)
            {
                var walk = walks[metric];
                var value = walk.Start;
                for (var row = 0; row < rows; row++)
                {
                    if (random.NextDouble() < walk.Moves)
                        value = Math.Clamp(Math.Round(value + (walk.Name == "power_w" ? random.Next(-10, 11) : random.Next(2) * 2 - 1) * walk.Step, 1), walk.Min, walk.Max);
                    fleet.Values[gpu][metric][row] = value;
                }
            }
        }
        return fleet;
    }
}
