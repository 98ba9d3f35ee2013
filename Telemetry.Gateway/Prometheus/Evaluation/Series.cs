namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>A series of a result: a value for each step, or none.</summary>
/// <param name="Labels">Its labels.</param>
/// <param name="Points">The values; <see cref="Point.None"/> where there is none.</param>
internal sealed record Series(Labels Labels, double[] Points);

/// <summary>The value of a step.</summary>
internal static class Point
{
    // A NaN of its own, so that the NaN of 0/0 is a value.
    private const long NoneBits = 0x7FF8_0000_DEAD_0001;

    /// <summary>No value.</summary>
    public static readonly double None = BitConverter.Int64BitsToDouble(NoneBits);

    /// <summary>Whether there is a value. Numbers must not be computed with where there is none.</summary>
    public static bool IsThere(double value) => BitConverter.DoubleToInt64Bits(value) != NoneBits;

    /// <summary>Points without values.</summary>
    public static double[] NoneOf(int count)
    {
        var points = GC.AllocateUninitializedArray<double>(count);
        Array.Fill(points, None);
        return points;
    }
}

/// <summary>The instants at which a query is evaluated.</summary>
/// <param name="StartMs">The first, milliseconds.</param>
/// <param name="StepMs">From one to the next.</param>
/// <param name="Count">How many.</param>
/// <param name="EndMs">The end of the range, which may be after the last one.</param>
internal readonly record struct Steps(long StartMs, long StepMs, int Count, long EndMs)
{
    /// <summary>An instant by its index.</summary>
    public long this[int index] => StartMs + (index * StepMs);
}
