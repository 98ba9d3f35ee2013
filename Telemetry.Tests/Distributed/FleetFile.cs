using Telemetry.Benchmarks.Fleet;

namespace Telemetry.Tests.Distributed;

/// <summary>Files of a simulated fleet of 64 GPUs.</summary>
internal static class FleetFile
{
    public static void Write(string path, long rows)
    {
        var fleet = new FleetSimulator(new FleetShape { Hosts = 8, GpusPerHost = 8, Steps = (int)(rows / 64) + 1, Interval = TimeSpan.FromSeconds(1) });
        using var writer = CsvFiles.Create(path);
        Assert.Equal(rows, CsvFiles.WriteSixMetrics(fleet, writer, rows));
    }
}
