using System.Globalization;
using CsCheck;
using Telemetry.Storage;
using Telemetry.Storage.History;

namespace Telemetry.Tests.Storage;

public sealed class ChunkTests
{
    private const int Second = 1_000;
    private const long Start = 1_793_865_600_000;

    // Rows from few to many, with the edges of the rANS scale and of the chunk.
    private static readonly Gen<int> RowCounts = Gen.Frequency((6, Gen.Int[1, 40]), (3, Gen.Int[41, 900]), (1, Gen.Int[3_000, 5_000]));

    [Fact]
    public void Any_times_and_values_come_back_bit_for_bit() =>
        Gen.Select(RowCounts, Gen.Int[0, 5], Gen.Int[0, int.MaxValue]).Sample((rows, metrics, seed) =>
        {
            var random = new Random(seed);
            AssertRoundTrip(ChunkShapes.Times(random, rows), [.. Enumerable.Range(0, metrics).Select(_ => ChunkShapes.Column(random, rows))]);
        }, iter: 400);

    [Fact]
    public void The_largest_chunk_comes_back()
    {
        var random = new Random(5);
        foreach (var rows in (int[])[1, 2, 3, Chunk.RowsMax - 1, Chunk.RowsMax])
            AssertRoundTrip(ChunkShapes.Times(random, rows), [.. ChunkShapes.All.Select(shape => shape(random, rows))]);
    }

    [Fact]
    public void The_extremes_of_time_come_back()
    {
        AssertRoundTrip([RowBlock.TimeMin, RowBlock.TimeMin, 0, RowBlock.TimeMax, RowBlock.TimeMax], []);
        AssertRoundTrip([long.MinValue, -1, 0, long.MaxValue], []);
    }

    [Fact]
    public void Values_that_no_decimal_is_come_back()
    {
        double[] values =
        [
            0.0, -0.0, double.Epsilon, -double.Epsilon, double.MaxValue, double.MinValue, double.PositiveInfinity, double.NegativeInfinity,
            Math.PI, 1e300, 0.1 + 0.2, 9_007_199_254_740_993, 1L << 51, -(1L << 51), (1L << 51) + 1, 1e-14, 1e-15, double.NaN, (double)71.3f,
        ];
        AssertRoundTrip(Seconds(values.Length), [values]);
        foreach (var value in values)
            AssertRoundTrip(Seconds(3), [[value, value, value], [value, 1, value], [double.NaN, value, double.NaN]]);
    }

    [Fact]
    public void Whatever_nan_says_not_measured_comes_back_as_not_measured()
    {
        var chunk = Encode(Seconds(2), (3, [BitConverter.UInt64BitsToDouble(0x7FF8_0000_DEAD_BEEF), 1]));
        Assert.Equal([double.NaN, 1], Decode(chunk, 3));
    }

    [Fact]
    public void A_metric_that_no_row_has_is_not_in_the_chunk()
    {
        var reader = new ChunkReader();
        reader.Open(Encode(Seconds(3), (1, [double.NaN, double.NaN, double.NaN]), (4, [1, double.NaN, 3])));
        Assert.Equal([4], reader.Metrics);
        var values = new double[] { 7, 7, 7, 7 };
        Assert.False(reader.Read(1, values));
        Assert.Equal([double.NaN, double.NaN, double.NaN, 7], values);
        Assert.True(reader.Read(4, values));
        Assert.Equal([1, double.NaN, 3, 7], values);
    }

    [Fact]
    public void The_layout_of_version_1_does_not_change()
    {
        // One of each form: a constant step, a walk in tenths, its mirror, a constant, absent rows, bits of doubles.
        double[] walk = [.. Enumerable.Range(0, 200).Select(i => (7_000 + (i * i % 11) + (i % 50 == 0 ? 300 : 0)) / 10.0)];
        var chunk = Encode(Seconds(200),
            (0, walk),
            (1, [.. walk.Select(v => Math.Round(1_000 - v, 1))]),
            (5, [.. walk.Select(_ => 1_980.0)]),
            (6, [.. walk.Select((_, i) => i < 100 ? double.NaN : 3)]),
            (300, [.. walk.Select((_, i) => i % 2 == 0 ? -0.0 : Math.PI)]));
        Assert.Equal(ChunkShapes.Golden, Convert.ToHexString(chunk));
    }

    [Fact]
    public void A_day_at_one_hertz_takes_what_the_budget_says()
    {
        // Stays within a percent of what -- store measures: 0.18 B a sample for an hour of random walks.
        var random = new Random(3);
        double[] Walk(double start, double step, double moves)
        {
            var value = start;
            return [.. Enumerable.Range(0, 3_600).Select(_ => value = Math.Round(value + (random.NextDouble() < moves ? (random.Next(2) * 2 - 1) * step : 0), 1))];
        }
        var used = Walk(60_000, 64, 0.02);
        double[][] columns = [Walk(90, 1, 0.5), Walk(50, 1, 0.4), used, [.. used.Select(v => 81_559 - v)], Walk(60, 1, 0.1), Walk(600, 0.1, 0.9), Walk(1_980, 15, 0.05)];
        var chunk = Encode(Seconds(3_600), [.. columns.Select((values, metric) => (metric, values))]);
        Assert.InRange((double)chunk.Length / (3_600 * columns.Length), 0.05, 0.12);

        var reader = new ChunkReader();
        reader.Open(chunk);
        Assert.InRange(reader.TimesBytes, 1, 12);
        Assert.InRange(reader.BytesOf(3), 1, 8);
    }

    [Theory]
    [InlineData(0, 0.010)]
    [InlineData(20, 0.60)] // the entropy of 21 equally likely values is 0.55 B
    public void Times_on_a_beat_cost_no_more_than_their_jitter(int jitterMs, double bytesMax)
    {
        var random = new Random(9);
        var reader = new ChunkReader();
        reader.Open(Encode([.. Seconds(3_600).Select(t => t + random.Next(jitterMs + 1))]));
        Assert.InRange((double)reader.TimesBytes / 3_600, 0, bytesMax);
    }

    [Fact]
    public void A_gap_in_the_times_costs_a_few_bytes()
    {
        var reader = new ChunkReader();
        reader.Open(Encode([.. Seconds(3_600).Select((t, i) => t + (i > 700 ? 5 * Second : 0) + (i > 2_000 ? 61 * Second : 0))]));
        Assert.InRange(reader.TimesBytes, 1, 40);
    }

    [Fact]
    public void Full_entropy_costs_no_more_than_the_doubles()
    {
        var random = new Random(1);
        var chunk = Encode(Seconds(3_600), (0, [.. Enumerable.Range(0, 3_600).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64(1, 0x7FEF_FFFF_FFFF_FFFF)))]));
        Assert.InRange(chunk.Length, 1, (3_600 * 8) + 60);
    }

    [Fact]
    public void What_is_no_chunk_is_refused_when_it_is_written()
    {
        var writer = new ChunkWriter();
        Assert.Throws<ArgumentException>(() => writer.Begin([]));
        Assert.Throws<ArgumentException>(() => writer.Begin(new long[Chunk.RowsMax + 1]));
        Assert.Throws<ArgumentException>(() => writer.Begin([2, 1]));
        writer.Begin([1, 1]);
        Assert.Throws<ArgumentException>(() => writer.Add(-1, [1, 2]));
        Assert.Throws<ArgumentException>(() => writer.Add(0, [1]));
        writer.Add(4, [1, 2]);
        Assert.Throws<ArgumentException>(() => writer.Add(4, [1, 2]));
    }

    [Fact]
    public void A_writer_and_a_reader_remember_nothing_of_the_chunk_before()
    {
        var random = new Random(11);
        var writer = new ChunkWriter();
        foreach (var rows in (int[])[500, 20, 4_000, 1, 300])
        {
            var times = ChunkShapes.Times(random, rows);
            double[][] columns = [.. ChunkShapes.All.Select(shape => shape(random, rows))];
            writer.Begin(times);
            for (var metric = 0; metric < columns.Length; metric++)
                writer.Add(metric, columns[metric]);
            Assert.Equal(Convert.ToHexString(Encode(times, [.. columns.Select((values, metric) => (metric, values))])), Convert.ToHexString(writer.End()));
        }
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing_once_the_buffers_are_there()
    {
        var random = new Random(2);
        var times = ChunkShapes.Times(random, 600);
        double[][] columns = [.. ChunkShapes.All.Select(shape => shape(random, 600))];
        var chunk = Encode(times, [.. columns.Select((values, metric) => (metric, values))]);
        var writer = new ChunkWriter();
        var reader = new ChunkReader();
        var values = new double[600];
        void Once()
        {
            writer.Begin(times);
            for (var metric = 0; metric < columns.Length; metric++)
                writer.Add(metric, columns[metric]);
            writer.End();
            reader.Open(chunk);
            reader.ReadTimes(times);
            for (var metric = 0; metric < columns.Length; metric++)
                reader.Read(metric, values);
        }
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Once();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Real_telemetry_comes_back_and_is_decimal()
    {
        var folder = Environment.GetEnvironmentVariable("TELEMETRY_TEST_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "TELEMETRY_TEST_DATA is not set");
        var metrics = Directory.GetFiles(folder, "dcgm*.csv").SelectMany(file => File.ReadLines(file).Skip(1))
            .Select(line => line.Split("\",\""))
            .Where(fields => fields.Length > 10 && double.TryParse(fields[10], CultureInfo.InvariantCulture, out _))
            .GroupBy(fields => fields[1], fields => double.Parse(fields[10], CultureInfo.InvariantCulture))
            .ToList();
        Assert.NotEmpty(metrics);
        foreach (var metric in metrics)
        {
            double[] values = [.. metric.Take(Chunk.RowsMax)];
            AssertRoundTrip(Seconds(values.Length), [values]);
            Assert.True(Decimals.TryScale(values, new long[values.Length], out _), metric.Key);
        }
    }

    internal static long[] Seconds(int count) => [.. Enumerable.Range(0, count).Select(i => Start + (i * (long)Second))];

    internal static byte[] Encode(long[] times, params (int Metric, double[] Values)[] columns)
    {
        var writer = new ChunkWriter();
        writer.Begin(times);
        foreach (var (metric, values) in columns)
            writer.Add(metric, values);
        return writer.End().ToArray();
    }

    internal static double[] Decode(byte[] chunk, int metric)
    {
        var reader = new ChunkReader();
        reader.Open(chunk);
        var values = new double[reader.Rows];
        reader.Read(metric, values);
        return values;
    }

    private static void AssertRoundTrip(long[] times, double[][] columns)
    {
        var chunk = Encode(times, [.. columns.Select((values, i) => (i * 3, values))]);
        var reader = new ChunkReader();
        reader.Open(chunk);
        Assert.Equal(times.Length, reader.Rows);
        var decodedTimes = new long[times.Length];
        reader.ReadTimes(decodedTimes);
        Assert.Equal(times, decodedTimes);
        var values = new double[times.Length];
        for (var i = columns.Length - 1; i >= 0; i--)
        {
            Assert.Equal(columns[i].Any(v => !double.IsNaN(v)), reader.Read(i * 3, values));
            Assert.Equal(Bits(columns[i]), Bits(values));
            Assert.Equal(Bits(values), Bits(Decode(chunk, i * 3))); // by itself, as among others
        }
    }

    private static long[] Bits(double[] values) => [.. values.Select(v => BitConverter.DoubleToInt64Bits(double.IsNaN(v) ? double.NaN : v))];
}
