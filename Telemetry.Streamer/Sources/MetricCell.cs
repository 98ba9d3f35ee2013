using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Telemetry.Streamer.Sources;

/// <summary>What a cell of a metric column holds.</summary>
internal enum CellKind
{
    /// <summary>A finite number.</summary>
    Number,

    /// <summary>Nothing, or one of the ways in which sources say that there was no measurement.</summary>
    Absent,

    /// <summary>A number that is infinite.</summary>
    NotFinite,

    /// <summary>Anything else.</summary>
    Text,
}

/// <summary>Reads the cells of metric columns. A value that was not measured is absent, never 0.</summary>
internal static class MetricCell
{
    private static readonly double[] PowersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    /// <summary>Reads a cell.</summary>
    /// <param name="cell">The cell as UTF-8; spaces around it do not matter.</param>
    /// <param name="unit">The unit that may stand after the number (<c>45 %</c>); empty for none.</param>
    /// <param name="value">The number, for <see cref="CellKind.Number"/>.</param>
    public static CellKind Read(ReadOnlySpan<byte> cell, ReadOnlySpan<byte> unit, out double value)
    {
        if (TryReadShortDecimal(cell, out value))
            return value >= BlankMin && IsBlank(value) ? CellKind.Absent : CellKind.Number;
        return ReadAny(cell.Trim(Spaces), unit, out value);
    }

    private static ReadOnlySpan<byte> Spaces => " \t"u8;

    /// <summary>
    /// Digits with at most one point, 15 digits in all: both the digits and the power of ten are exact doubles, so their
    /// quotient is the nearest double (Clinger's fast path). Nearly every cell is of this form.
    /// </summary>
    private static bool TryReadShortDecimal(ReadOnlySpan<byte> cell, out double value)
    {
        value = 0;
        var i = cell.Length > 0 && cell[0] == '-' ? 1 : 0;
        if (cell.Length - i is 0 or > 16)
            return false;
        var negative = i == 1;
        long digits = 0;
        int count = 0, fraction = -1;
        for (; i < cell.Length; i++)
        {
            var digit = (uint)(cell[i] - '0');
            if (digit <= 9)
            {
                digits = (digits * 10) + digit;
                count++;
            }
            else if (cell[i] == '.' && fraction < 0)
                fraction = count;
            else
                return false;
        }
        if (count is 0 or > 15)
            return false;
        value = fraction < 0 ? digits : digits / PowersOfTen[count - fraction];
        if (negative)
            value = -value;
        return true;
    }

    private static CellKind ReadAny(ReadOnlySpan<byte> cell, ReadOnlySpan<byte> unit, out double value)
    {
        value = 0;
        if (IsAbsent(cell))
            return CellKind.Absent;
        if (unit.Length > 0 && cell.EndsWith(unit))
            cell = cell[..^unit.Length].TrimEnd(Spaces);
        if (cell.StartsWith("0x"u8) && Utf8Parser.TryParse(cell[2..], out ulong mask, out var used, 'x') && used == cell.Length - 2)
            value = mask;
        else if (cell.Length == 0 || !char.IsAsciiDigit((char)cell[^1]) && cell[^1] != '.'
            || !double.TryParse(cell, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value))
        {
            return IsInfinity(cell) ? CellKind.NotFinite : CellKind.Text;
        }
        if (!double.IsFinite(value))
            return CellKind.NotFinite;
        return IsBlank(value) ? CellKind.Absent : CellKind.Number;
    }

    /// <summary>Empty, <c>N/A</c>, <c>NaN</c>, <c>null</c>, anything in brackets (nvidia-smi) or in <c>&lt;&lt;&lt; &gt;&gt;&gt;</c> (DCGM).</summary>
    public static bool IsAbsent(ReadOnlySpan<byte> cell) =>
        cell.Length == 0
        || (cell[0] == '[' && cell[^1] == ']')
        || (cell.StartsWith("<<<"u8) && cell.EndsWith(">>>"u8))
        || Ascii.EqualsIgnoreCase(cell, "N/A"u8) || Ascii.EqualsIgnoreCase(cell, "NaN"u8) || Ascii.EqualsIgnoreCase(cell, "null"u8);

    private static bool IsInfinity(ReadOnlySpan<byte> cell)
    {
        if (cell.Length > 0 && cell[0] is (byte)'-' or (byte)'+')
            cell = cell[1..];
        return Ascii.EqualsIgnoreCase(cell, "inf"u8) || Ascii.EqualsIgnoreCase(cell, "infinity"u8) || cell.SequenceEqual("∞"u8);
    }

    private const double BlankMin = 0x7ffffff0;

    /// <summary>
    /// DCGM's blank values: int32 0x7ffffff0..f3, int64 0x7ffffffffffffff0..f3 (which as a double is 2^63), and fp64
    /// 140737488355328..+3.
    /// </summary>
    private static bool IsBlank(double value) =>
        value is (>= BlankMin and <= 0x7ffffff3) or (>= 140737488355328.0 and <= 140737488355331.0) or 9223372036854775808.0;
}
