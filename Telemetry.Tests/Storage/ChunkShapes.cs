using Telemetry.Storage;

namespace Telemetry.Tests.Storage;

/// <summary>Columns and times of every shape that a chunk treats in a way of its own, and of none.</summary>
internal static class ChunkShapes
{
    public const string Golden =
        "A8C3048001C801050A005E000503050014A5022F0380B0C6ABB568D00F000128B86D2408D3E994A928530000002D042050AB540BFC42F1A1AE970200" +
        "F25C8D046E4B0D918BEFE9ACEAF281820CEFE1128F04793A0A1C570DDA9540887CC8434C58E54A874460315F6A288EAE1E9DAD0EAF8BBA5FC92E990A" +
        "9ECC02876100A09C010001F81E00101900020877290000F70C79016A7A01000106000F04FFFFFFFFFFFFFFFFFF01E8A5EFDDCAC0B7FB3F01AAAAAAAA" +
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    public static readonly Func<Random, int, double[]>[] All =
    [
        (random, rows) => Filled(rows, _ => 1_980),
        (random, rows) => Filled(rows, _ => -0.0),
        (random, rows) => Filled(rows, i => 1e9 + (i * 250.0)), // a counter
        (random, rows) => Walk(random, rows, 0, 1),
        (random, rows) => Walk(random, rows, random.Next(1, 10), 1 << random.Next(1, 20)),
        (random, rows) => Filled(rows, _ => random.Next(1_000_000) * Math.Pow(10, -random.Next(10))),
        (random, rows) => Filled(rows, i => random.Next(8) == 0 ? double.NaN : 60_000 + random.Next(64)),
        (random, rows) => Filled(rows, i => random.Next(8) == 0 ? double.NaN : 21_559 - random.Next(64)),
        (random, rows) => Filled(rows, i => 60_000 + (i * 7 % 129)),
        (random, rows) => Filled(rows, i => 21_559 - (i * 7 % 129)), // mirrors the one before
        (random, rows) => Filled(rows, i => 5 + (i * 7 % 129)), // likewise
        (random, rows) => Filled(rows, _ => AnyDouble(random)),
        (random, rows) => Filled(rows, _ => BitConverter.Int64BitsToDouble(random.NextInt64(0, 1L << 52))), // denormals
        (random, rows) => Filled(rows, _ => (float)random.NextDouble()),
        (random, rows) => Filled(rows, _ => random.Next(2) == 0 ? 0.0 : -0.0),
        (random, rows) => Filled(rows, _ => random.Next(50) == 0 ? double.PositiveInfinity : random.Next(100)),
        (random, rows) => Filled(rows, _ => double.NaN),
        (random, rows) => Filled(rows, i => i < rows * 3 / 4 ? double.NaN : random.Next(100)),
        (random, rows) => Filled(rows, i => i == rows / 2 ? 42 : double.NaN),
        (random, rows) => Filled(rows, _ => Math.Pow(2, random.Next(51)) * (random.Next(2) * 2 - 1)),
        (random, rows) => Filled(rows, i => i % 300 == 0 ? 345 : 1_980),
    ];

    public static double[] Column(Random random, int rows) => All[random.Next(All.Length)](random, rows);

    /// <summary>Sorted times: on a beat, jittering, with gaps, many equal, anywhere.</summary>
    public static long[] Times(Random random, int rows)
    {
        var kind = random.Next(5);
        var times = new long[rows];
        var time = random.NextInt64(RowBlock.TimeMin, RowBlock.TimeMax - (100_000L * rows));
        for (var i = 0; i < rows; i++)
        {
            time += kind switch
            {
                0 => 1_000,
                1 => random.Next(990, 1_011),
                2 => random.Next(20) == 0 ? random.Next(100_000) : 50,
                _ => random.Next(3),
            };
            times[i] = kind == 4 ? random.NextInt64(RowBlock.TimeMin, RowBlock.TimeMax + 1) : time;
        }
        Array.Sort(times);
        return times;
    }

    private static double[] Filled(int rows, Func<int, double> value) => [.. Enumerable.Range(0, rows).Select(value)];

    private static double[] Walk(Random random, int rows, int digits, int width)
    {
        var scaled = (long)random.Next(1_000_000);
        return Filled(rows, _ => (scaled += random.Next(-width, width + 1)) / Math.Pow(10, digits));
    }

    private static double AnyDouble(Random random)
    {
        var value = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
        return double.IsNaN(value) ? 0 : value;
    }
}
