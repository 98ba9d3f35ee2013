namespace Telemetry.Storage.History;

/// <summary>
/// Doubles that are decimal numbers of few digits, as integers: 71.3 with one digit is 713. The integer divided by a power
/// of ten gives the same double, bit for bit, as both are exact and IEEE 754 rounds their quotient to the nearest.
/// </summary>
internal static class Decimals
{
    /// <summary>The most digits after the point.</summary>
    public const int DigitsMax = 14;

    // A third of a power of two below 2^53, so that rounding the product does not miss the integer.
    private const double IntegerMax = 1L << 51;

    private static readonly double[] Powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

    /// <summary>The fewest digits with which all of the values are such numbers.</summary>
    /// <returns>False where they are not: then the integers mean nothing.</returns>
    public static bool TryScale(ReadOnlySpan<double> values, Span<long> integers, out int digits)
    {
        digits = 0;
        foreach (var value in values)
        {
            while (!TryScale(value, digits, out _))
            {
                if (++digits > DigitsMax)
                    return false;
            }
        }
        for (var i = 0; i < values.Length; i++)
        {
            if (!TryScale(values[i], digits, out integers[i]))
                return false;
        }
        return true;
    }

    /// <summary>The doubles of scaled integers.</summary>
    public static void Unscale(ReadOnlySpan<long> integers, int digits, Span<double> values)
    {
        var power = Powers[digits];
        values = values[..integers.Length];
        if (digits == 0)
        {
            for (var i = 0; i < integers.Length; i++)
                values[i] = integers[i];
            return;
        }
        for (var i = 0; i < integers.Length; i++)
            values[i] = integers[i] / power;
    }

    private static bool TryScale(double value, int digits, out long integer)
    {
        var scaled = Math.Round(value * Powers[digits]);
        if (!(Math.Abs(scaled) <= IntegerMax))
        {
            integer = 0;
            return false;
        }
        integer = (long)scaled;
        return BitConverter.DoubleToInt64Bits(integer / Powers[digits]) == BitConverter.DoubleToInt64Bits(value);
    }
}
