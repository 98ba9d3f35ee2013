using System.Diagnostics;

namespace Telemetry.Benchmarks.Broker;

/// <summary>What the disk alone needs: appends to a file, each written and synced as the broker does it.</summary>
internal static class DiskProbe
{
    private const int Writes = 200;

    /// <summary>Median and 99th percentile of an append of so many bytes, in milliseconds.</summary>
    public static (double Median, double P99) Measure(string folder, int bytes)
    {
        var path = Path.Combine(folder, "probe");
        try
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            var content = new byte[bytes];
            var took = new List<double>(Writes);
            for (var i = 0; i < Writes; i++)
            {
                var began = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, content, (long)i * bytes);
                RandomAccess.FlushToDisk(file);
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
            return (Percentiles.Of(took, 0.5), Percentiles.Of(took, 0.99));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
