using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Telemetry.Storage.History;

/// <summary>
/// Writes chunks, one after the other: <see cref="Begin"/>, <see cref="Add"/> for each metric, <see cref="End"/>. Its buffers
/// grow to the largest chunk and are used again. For one thread at a time.
/// </summary>
/// <remarks>
/// What was compared is printed by <c>-- store --scenario chunks</c>.
/// </remarks>
internal sealed class ChunkWriter
{
    private readonly ByteWriter _body = new();
    private readonly ByteWriter _chunk = new();
    private readonly IntegerWriter _integers = new();
    private readonly List<(int Metric, int Bytes)> _directory = [];
    private readonly List<Scaled> _scaled = []; // the first _scaledCount are this chunk's
    private int _scaledCount;
    private int _rows;
    private int _timesBytes;
    private double[] _present = [];

    /// <summary>A column that a later one may mirror: not constant, and of decimal numbers.</summary>
    private sealed class Scaled
    {
        public int Index;
        public int Digits;
        public int Count; // of the rows that have it
        public long[] Integers = [];
        public long[] Presence = [];
    }

    /// <summary>Begins a chunk with its rows' times.</summary>
    /// <param name="times">Milliseconds since 1970-01-01 UTC, sorted; equal ones keep their order.</param>
    /// <exception cref="ArgumentException">There are none, too many, or they are not sorted.</exception>
    public void Begin(ReadOnlySpan<long> times)
    {
        if (times.Length is 0 or > Chunk.RowsMax)
            throw new ArgumentException($"a chunk of {times.Length} rows, expected 1 to {Chunk.RowsMax}", nameof(times));
        for (var i = 1; i < times.Length; i++)
        {
            if (times[i] < times[i - 1])
                throw new ArgumentException($"row {i} of a chunk, {times[i]} ms, is before the row before it, {times[i - 1]} ms", nameof(times));
        }
        _rows = times.Length;
        _directory.Clear();
        _scaledCount = 0;
        if (_present.Length < _rows)
            _present = new double[_rows];
        _body.Clear();
        _integers.Write(_body, times, rising: true);
        _timesBytes = _body.Length;
    }

    /// <summary>Adds a metric. One that no row has is left out.</summary>
    /// <param name="metric">Its id, at least 0 and higher than that of the metric added before.</param>
    /// <param name="values">A value for each row; NaN where it was not measured.</param>
    /// <exception cref="ArgumentException">The id is not higher, the rows are not as many, or there are too many metrics.</exception>
    public void Add(int metric, ReadOnlySpan<double> values)
    {
        if (metric <= (_directory.Count == 0 ? -1 : _directory[^1].Metric))
            throw new ArgumentException($"metric {metric} of a chunk is not after the one before it", nameof(metric));
        if (values.Length != _rows)
            throw new ArgumentException($"metric {metric} has {values.Length} values and the chunk {_rows} rows", nameof(values));
        if (_directory.Count == Chunk.MetricsMax)
            throw new ArgumentException($"a chunk of more than {Chunk.MetricsMax} metrics", nameof(metric));

        var column = NextScaled();
        var count = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var present = !double.IsNaN(values[i]);
            column.Presence[i] = present ? 1 : 0;
            _present[count] = values[i];
            count += present ? 1 : 0;
        }
        if (count == 0)
            return;
        var start = _body.Length;
        column.Index = _directory.Count;
        column.Count = count;
        WriteColumn(column, _present.AsSpan(0, count));
        _directory.Add((metric, _body.Length - start));
    }

    /// <summary>The chunk, until the next <see cref="End"/>.</summary>
    public ReadOnlySpan<byte> End()
    {
        _chunk.Clear();
        _chunk.UInt32(0);
        _chunk.Byte(Chunk.Version);
        _chunk.Varint((ulong)_rows);
        _chunk.Varint((ulong)_directory.Count);
        _chunk.Varint((ulong)_timesBytes);
        var before = -1;
        foreach (var (metric, bytes) in _directory)
        {
            _chunk.Varint((ulong)(metric - before - 1));
            _chunk.Varint((ulong)bytes);
            before = metric;
        }
        _chunk.Bytes(_body.Written);
        BinaryPrimitives.WriteUInt32LittleEndian(_chunk.From(0), Crc32C.Compute(_chunk.Written[4..]));
        return _chunk.Written;
    }

    private void WriteColumn(Scaled column, ReadOnlySpan<double> present)
    {
        var integers = column.Integers.AsSpan(0, present.Length);
        var shape = present.Length < _rows ? Chunk.HasAbsent : 0;
        if (Decimals.TryScale(present, integers, out var digits))
        {
            shape |= digits;
            column.Digits = digits;
            if (integers.ContainsAnyExcept(integers[0]))
            {
                if (TryMirror(column))
                    return;
                _scaledCount++;
            }
        }
        else
        {
            shape |= Chunk.BitsOfDoubles;
            for (var i = 0; i < present.Length; i++)
                integers[i] = BitConverter.DoubleToInt64Bits(present[i]);
        }
        _body.Byte(shape);
        if ((shape & Chunk.HasAbsent) != 0)
            _integers.Write(_body, column.Presence.AsSpan(0, _rows), rising: false);
        _integers.Write(_body, integers, rising: false);
    }

    private bool TryMirror(Scaled column)
    {
        foreach (var other in CollectionsMarshal.AsSpan(_scaled)[.._scaledCount])
        {
            if (other.Digits != column.Digits || other.Count != column.Count)
                continue;
            var isSum = IsConstant(column, other, 1);
            if (!isSum && !IsConstant(column, other, -1))
                continue;
            if (!column.Presence.AsSpan(0, _rows).SequenceEqual(other.Presence.AsSpan(0, _rows)))
                continue;
            _body.Byte(column.Digits | Chunk.Mirror | (isSum ? Chunk.MirrorOfSum : 0));
            _body.Varint((ulong)other.Index);
            _body.Signed(column.Integers[0] + (isSum ? other.Integers[0] : -other.Integers[0]));
            return true;
        }
        return false;
    }

    private static bool IsConstant(Scaled column, Scaled other, int sign)
    {
        var mine = column.Integers.AsSpan(0, column.Count);
        var others = other.Integers.AsSpan(0, column.Count);
        var constant = mine[0] + sign * others[0];
        for (var i = 1; i < mine.Length; i++)
        {
            if (mine[i] + sign * others[i] != constant)
                return false;
        }
        return true;
    }

    private Scaled NextScaled()
    {
        if (_scaled.Count == _scaledCount)
            _scaled.Add(new Scaled());
        var column = _scaled[_scaledCount];
        if (column.Integers.Length < _rows)
        {
            column.Integers = new long[_rows];
            column.Presence = new long[_rows];
        }
        return column;
    }
}
