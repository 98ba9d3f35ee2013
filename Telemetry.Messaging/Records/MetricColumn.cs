using System.Buffers.Binary;

namespace Telemetry.Messaging.Records;

/// <summary>A metric's values while a batch is built: one for each record, NaN where it is absent.</summary>
internal sealed class MetricColumn
{
    private double[] _values = [];
    private int _count;

    public string Name { get; private set; } = "";

    /// <summary>Records that have the metric.</summary>
    public int Present { get; private set; }

    public void Reset(string name)
    {
        Name = name;
        _count = 0;
        Present = 0;
    }

    public void Set(int record, double value)
    {
        if (_count <= record)
        {
            if (record >= _values.Length)
                Array.Resize(ref _values, Math.Min(RecordBatchLimits.RecordsMax, Math.Max(record + 1, Math.Max(64, _values.Length * 2))));
            if (_count < record)
                _values.AsSpan(_count, record - _count).Fill(double.NaN);
            _count = record + 1;
            Present++;
        }
        _values[record] = value;
    }

    /// <summary>The values of the first <paramref name="records"/> records that have it; a sparse column is closed up in <paramref name="scratch"/>.</summary>
    public ReadOnlySpan<double> PresentValues(int records, ref double[] scratch)
    {
        var values = _values.AsSpan(0, _count);
        if (Present == records)
            return values;
        if (scratch.Length < Present)
            scratch = new double[Math.Max(Present, 64)];
        var at = 0;
        foreach (var value in values)
        {
            if (!double.IsNaN(value))
                scratch[at++] = value;
        }
        return scratch.AsSpan(0, at);
    }

    /// <summary>Writes the bit map of the records that have it.</summary>
    public void WritePresence(Span<byte> bits)
    {
        bits.Clear();
        for (var i = 0; i < _count; i++)
        {
            if (!double.IsNaN(_values[i]))
                bits[i >> 3] |= (byte)(1 << (i & 7));
        }
    }
}

/// <summary>How a column's values are encoded, and their size.</summary>
internal readonly record struct ColumnForm(byte Form, int Bytes, long Base, byte Scale, byte Width)
{
    /// <summary>Picks the smallest form that gives every value back bit for bit.</summary>
    public static ColumnForm Choose(ReadOnlySpan<double> values)
    {
        var plain = new ColumnForm(RecordBatchLayout.FormPlain, values.Length * sizeof(double), 0, 0, 0);
        var powers = RecordBatchLayout.PowersOfTen;
        var first = BitConverter.DoubleToInt64Bits(values[0]);
        var (min, max) = (values[0], values[0]);
        var constant = true;
        var (scale, power) = (0, 1.0);
        foreach (var value in values)
        {
            var bits = BitConverter.DoubleToInt64Bits(value);
            constant &= bits == first;
            min = Math.Min(min, value);
            max = Math.Max(max, value);
            // What is exact with fewer decimals is exact with more, within DecimalMax: so no value is looked at twice.
            while (scale <= RecordBatchLayout.DecimalScaleMax && BitConverter.DoubleToInt64Bits((long)Math.Round(value * power) / power) != bits)
            {
                if (++scale <= RecordBatchLayout.DecimalScaleMax)
                    power = powers[scale];
            }
            if (scale > RecordBatchLayout.DecimalScaleMax && !constant)
                return plain;
        }
        if (constant)
            return new ColumnForm(RecordBatchLayout.FormConstant, sizeof(double), 0, 0, 0);
        if (min * power <= -RecordBatchLayout.DecimalMax || max * power >= RecordBatchLayout.DecimalMax)
            return plain;
        var lowest = (long)Math.Round(min * power);
        var width = BitPacking.Width((ulong)((long)Math.Round(max * power) - lowest));
        var bytes = RecordBatchLayout.DecimalHeadBytes + BitPacking.Bytes(values.Length, width);
        return bytes < plain.Bytes ? new ColumnForm(RecordBatchLayout.FormDecimal, bytes, lowest, (byte)scale, (byte)width) : plain;
    }

    /// <summary>Writes the values into exactly <see cref="Bytes"/> bytes.</summary>
    public void Write(ReadOnlySpan<double> values, Span<byte> destination)
    {
        switch (Form)
        {
            case RecordBatchLayout.FormConstant:
                BinaryPrimitives.WriteDoubleLittleEndian(destination, values[0]);
                break;
            case RecordBatchLayout.FormDecimal:
                BinaryPrimitives.WriteInt64LittleEndian(destination, Base);
                destination[8] = Scale;
                destination[9] = Width;
                var power = RecordBatchLayout.PowersOfTen[Scale];
                var packer = new BitPacker(destination[RecordBatchLayout.DecimalHeadBytes..], Width);
                foreach (var value in values)
                    packer.Write((ulong)((long)Math.Round(value * power) - Base));
                packer.Flush();
                break;
            default:
                for (var i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteDoubleLittleEndian(destination[(i * sizeof(double))..], values[i]);
                break;
        }
    }
}
