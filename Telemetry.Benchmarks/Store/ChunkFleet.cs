namespace Telemetry.Benchmarks.Store;

/// <summary>A fleet's history as columns: for each GPU its times and metrics.</summary>
internal sealed class ChunkFleet
{
    private const long Start = 1_793_865_600_000; // 2026-11-05 08:00 UTC

    /// <summary>Observes a fleet at 1 Hz, each second up to <paramref name="jitterMs"/> late.</summary>
    public ChunkFleet(ReportingFleet fleet, int rows, int jitterMs)
    {
        Name = jitterMs == 0 ? $"{fleet.Name}: 1 Hz" : $"{fleet.Name}: 1 Hz, times within {jitterMs} ms";
        Metrics = [.. fleet.Metrics];
        Times = new long[rows];
        Values = [.. fleet.Gpus.Select(_ => Metrics.Select(_ => new double[rows]).ToArray())];
        var random = new Random(7);
        for (var row = 0; row < rows; row++)
        {
            Times[row] = Start + row * 1_000L + (jitterMs == 0 ? 0 : random.Next(jitterMs + 1));
            fleet.Step();
            for (var gpu = 0; gpu < Values.Length; gpu++)
            {
                for (var metric = 0; metric < Metrics.Length; metric++)
                    Values[gpu][metric][row] = fleet.Reports(gpu) ? fleet.Values[metric][gpu] : double.NaN;
            }
        }
    }

    public string Name { get; }

    public string[] Metrics { get; }

    /// <summary>The same for all: every GPU is asked at the same moments.</summary>
    public long[] Times { get; }

    /// <summary>By GPU and metric; NaN where the GPU did not report.</summary>
    public double[][][] Values { get; }
}
