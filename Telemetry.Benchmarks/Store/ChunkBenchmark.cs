using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Telemetry.Storage.History;

namespace Telemetry.Benchmarks.Store;

/// <summary>
/// How small chunks are and how fast they are written and read, on one core; beside it, what delta, zigzag, varint and
/// deflate make of the same columns. A sample is one value of one metric; times and directory are shared by all of a chunk.
/// </summary>
internal static class ChunkBenchmark
{
    private static readonly int[] Sizes = [20, 120, 600, 3_600];

    public static void Run(StoreSettings settings)
    {
        var rows = Sizes.Max();
        var gpus = settings.Gpus ?? 64;
        foreach (var fleet in (ChunkFleet[])[new(new WalkingFleet(gpus), rows, 0), new(new WalkingFleet(gpus), rows, 20), new(new SimulatedFleet(gpus, rows), rows, 0)])
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{fleet.Name}; {gpus} GPUs, {fleet.Metrics.Length} metrics, one core, best of {settings.Runs}");
            var results = Sizes.Select(size => Measure(fleet, size, settings.Runs)).ToArray();
            Row("rows of a chunk", Sizes.Select(s => s.ToString("N0", CultureInfo.InvariantCulture)));
            Row("bytes a sample, all", results.Select(r => Number(r.Bytes / r.Samples)));
            Row("  as deltas, deflated", results.Select(r => Number(r.Deflated / r.Samples)));
            Row("  times, bytes a row", results.Select(r => Number(r.TimesBytes / r.Rows)));
            for (var metric = 0; metric < fleet.Metrics.Length; metric++)
            {
                var m = metric;
                Row("  " + fleet.Metrics[metric], results.Select(r => Number(r.MetricBytes[m] / r.Rows)));
            }
            Row("encode, M samples/s", results.Select(r => Rate(r.Samples / r.EncodeSeconds)));
            Row("decode, M samples/s", results.Select(r => Rate(r.Samples / r.DecodeSeconds)));
            for (var metric = 0; metric < fleet.Metrics.Length; metric++)
            {
                var m = metric;
                Row("  " + fleet.Metrics[metric], results.Select(r => Rate(r.Rows / r.MetricSeconds[m])));
            }
        }
    }

    private sealed record Result(double Rows, double Samples, double Bytes, double Deflated, double TimesBytes, double[] MetricBytes, double EncodeSeconds, double DecodeSeconds, double[] MetricSeconds);

    private static Result Measure(ChunkFleet fleet, int size, int runs)
    {
        var writer = new ChunkWriter();
        var chunks = new List<byte[]>();
        void Encode(bool keep)
        {
            foreach (var gpu in fleet.Values)
            {
                for (var from = 0; from + size <= fleet.Times.Length; from += size)
                {
                    writer.Begin(fleet.Times.AsSpan(from, size));
                    for (var metric = 0; metric < gpu.Length; metric++)
                        writer.Add(metric, gpu[metric].AsSpan(from, size));
                    var chunk = writer.End();
                    if (keep)
                        chunks.Add(chunk.ToArray());
                }
            }
        }
        Encode(keep: true);
        var encode = Best(runs, () => Encode(keep: false));

        var reader = new ChunkReader();
        var times = new long[size];
        var values = new double[size];
        var decode = Best(runs, () =>
        {
            foreach (var chunk in chunks)
            {
                reader.Open(chunk);
                reader.ReadTimes(times);
                for (var metric = 0; metric < fleet.Metrics.Length; metric++)
                    reader.Read(metric, values);
            }
        });
        var timesBytes = 0.0;
        var metricBytes = new double[fleet.Metrics.Length];
        foreach (var chunk in chunks)
        {
            reader.Open(chunk);
            timesBytes += reader.TimesBytes;
            for (var metric = 0; metric < fleet.Metrics.Length; metric++)
                metricBytes[metric] += reader.BytesOf(metric);
        }
        var metricSeconds = Enumerable.Range(0, fleet.Metrics.Length).Select(metric => Best(runs, () =>
        {
            foreach (var chunk in chunks)
            {
                reader.Open(chunk);
                reader.Read(metric, values);
            }
        })).ToArray();
        var rows = (double)chunks.Count * size;
        return new Result(rows, rows * fleet.Metrics.Length, chunks.Sum(c => (double)c.Length), Deflated(fleet, size), timesBytes, metricBytes, encode, decode, metricSeconds);
    }

    /// <summary>Deltas of tenths as zigzag varints, the times first, deflated chunk by chunk.</summary>
    private static double Deflated(ChunkFleet fleet, int size)
    {
        var bytes = 0.0;
        foreach (var gpu in fleet.Values)
        {
            for (var from = 0; from + size <= fleet.Times.Length; from += size)
            {
                var plain = new ByteWriter();
                long before = 0, step = 0;
                foreach (var time in fleet.Times.AsSpan(from, size))
                {
                    plain.Signed(time - before - step);
                    step = time - before;
                    before = time;
                }
                foreach (var column in gpu)
                {
                    before = 0;
                    foreach (var value in column.AsSpan(from, size))
                    {
                        var scaled = double.IsNaN(value) ? 0 : (long)Math.Round(value * 10);
                        plain.Signed(scaled - before);
                        before = scaled;
                    }
                }
                using var output = new MemoryStream();
                using (var deflate = new DeflateStream(output, CompressionLevel.Optimal, leaveOpen: true))
                    deflate.Write(plain.Written);
                bytes += output.Length;
            }
        }
        return bytes;
    }

    private static double Best(int runs, Action work)
    {
        var best = double.MaxValue;
        for (var run = 0; run <= runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private static void Row(string name, IEnumerable<string> cells) =>
        Console.Out.WriteLine($"{name,-24}" + string.Concat(cells.Select(cell => $"{cell,10}")));

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Rate(double value) => (value / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
