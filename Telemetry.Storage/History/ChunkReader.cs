using System.Buffers.Binary;

namespace Telemetry.Storage.History;

/// <summary>
/// Reads chunks, one after the other: <see cref="Open"/>, then the times and the metrics that are wanted, each decoded by
/// itself into the caller's buffer. Its own buffers grow to the largest chunk and are used again. For one thread at a time.
/// </summary>
internal sealed class ChunkReader
{
    private readonly IntegerReader _integers = new();
    private readonly List<int> _metrics = [];
    private readonly List<Range> _columns = [];
    private ReadOnlyMemory<byte> _chunk;
    private Range _times;
    private long[] _decoded = [];
    private long[] _presence = [];

    /// <summary>The rows of the open chunk.</summary>
    public int Rows { get; private set; }

    /// <summary>The ids of its metrics, ascending; a metric that no row has is not among them.</summary>
    public IReadOnlyList<int> Metrics => _metrics;

    /// <summary>The bytes of its times.</summary>
    public int TimesBytes => _times.GetOffsetAndLength(_chunk.Length).Length;

    /// <summary>Opens a chunk, which must not change while it is read.</summary>
    /// <exception cref="StoreException">It is damaged, or of a newer version.</exception>
    public void Open(ReadOnlyMemory<byte> chunk)
    {
        _chunk = default;
        _metrics.Clear();
        _columns.Clear();
        Rows = 0;
        var bytes = chunk.Span;
        if (bytes.Length < Chunk.HeaderBytes)
            throw Chunk.Damaged($"it has {bytes.Length} bytes");
        if (Crc32C.Compute(bytes[4..]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes))
            throw Chunk.Damaged("its checksum does not fit");
        if (bytes[4] != Chunk.Version)
        {
            throw new StoreException(StoreFault.Unusable,
                $"a chunk of the history has version {bytes[4]} and this program knows version {Chunk.Version}: run the newer program");
        }
        var input = new ByteReader(bytes[Chunk.HeaderBytes..]);
        var rows = input.Count(1, Chunk.RowsMax, "rows");
        var metrics = input.Count(0, Chunk.MetricsMax, "metrics");
        var timesBytes = input.Count(0, bytes.Length, "bytes of times");
        var metric = -1;
        long end = timesBytes;
        for (var i = 0; i < metrics; i++)
        {
            metric += 1 + input.Count(0, int.MaxValue - 1 - metric, "between metrics");
            var length = input.Count(0, bytes.Length - (int)end, "bytes of a column");
            _metrics.Add(metric);
            _columns.Add((int)end..(int)(end + length));
            end += length;
        }
        if (end != input.Length)
            throw Chunk.Damaged($"its directory tells of {end} bytes where there are {input.Length}");
        var body = bytes.Length - input.Length;
        for (var i = 0; i < metrics; i++)
            _columns[i] = (_columns[i].Start.Value + body)..(_columns[i].End.Value + body);
        _times = body..(body + timesBytes);
        if (_decoded.Length < rows)
        {
            _decoded = new long[rows];
            _presence = new long[rows];
        }
        Rows = rows;
        _chunk = chunk;
    }

    /// <summary>The bytes of a metric's column; 0 where the chunk does not have it.</summary>
    public int BytesOf(int metric)
    {
        var index = _metrics.BinarySearch(metric);
        return index < 0 ? 0 : _columns[index].GetOffsetAndLength(_chunk.Length).Length;
    }

    /// <summary>Decodes the rows' times, in milliseconds since 1970-01-01 UTC, into the first <see cref="Rows"/> of <paramref name="times"/>.</summary>
    /// <exception cref="StoreException">The chunk is damaged.</exception>
    public void ReadTimes(Span<long> times)
    {
        var input = new ByteReader(_chunk.Span[_times]);
        _integers.Read(ref input, times[..Rows]);
        End(input);
    }

    /// <summary>Decodes a metric into the first <see cref="Rows"/> of <paramref name="values"/>; NaN where it was not measured.</summary>
    /// <returns>False where the chunk does not have it; the values are NaN then.</returns>
    /// <exception cref="StoreException">The chunk is damaged.</exception>
    public bool Read(int metric, Span<double> values)
    {
        values = values[..Rows];
        var index = _metrics.BinarySearch(metric);
        if (index < 0)
        {
            values.Fill(double.NaN);
            return false;
        }
        var input = Column(index, out var shape);
        var digits = shape & Chunk.DigitsMask;
        int count;
        if ((shape & Chunk.Mirror) != 0)
        {
            var other = input.Count(0, index - 1, "as the column that is mirrored");
            var constant = input.Signed();
            End(input);
            input = Column(other, out var otherShape);
            if ((otherShape & (Chunk.Mirror | Chunk.DigitsMask)) != digits || digits == Chunk.BitsOfDoubles)
                throw Chunk.Damaged("a column mirrors one that it cannot");
            count = ReadIntegers(ref input, otherShape);
            shape |= otherShape & Chunk.HasAbsent;
            var sign = (shape & Chunk.MirrorOfSum) != 0 ? -1 : 1;
            foreach (ref var integer in _decoded.AsSpan(0, count))
                integer = constant + sign * integer;
        }
        else
        {
            count = ReadIntegers(ref input, shape);
        }
        End(input);

        var integers = _decoded.AsSpan(0, count);
        if (digits == Chunk.BitsOfDoubles)
        {
            for (var i = 0; i < integers.Length; i++)
                values[i] = BitConverter.Int64BitsToDouble(integers[i]);
        }
        else
        {
            Decimals.Unscale(integers, digits, values);
        }
        if ((shape & Chunk.HasAbsent) != 0)
            Spread(values, count);
        return true;
    }

    private ByteReader Column(int index, out int shape)
    {
        var input = new ByteReader(_chunk.Span[_columns[index]]);
        shape = input.Byte();
        return input;
    }

    /// <summary>Decodes a column's integers, and which rows have them.</summary>
    /// <returns>How many there are.</returns>
    private int ReadIntegers(ref ByteReader input, int shape)
    {
        var count = Rows;
        if ((shape & Chunk.HasAbsent) != 0)
        {
            var presence = _presence.AsSpan(0, Rows);
            _integers.Read(ref input, presence);
            count = 0;
            foreach (var present in presence)
            {
                if (present is not (0 or 1))
                    throw Chunk.Damaged("a row neither has a metric nor lacks it");
                count += (int)present;
            }
        }
        _integers.Read(ref input, _decoded.AsSpan(0, count));
        return count;
    }

    /// <summary>Moves the values that are there to their rows, from the last on, so that none is overwritten.</summary>
    private void Spread(Span<double> values, int count)
    {
        for (var i = values.Length - 1; i >= 0; i--)
            values[i] = _presence[i] != 0 ? values[--count] : double.NaN;
    }

    private static void End(in ByteReader input)
    {
        if (!input.AtEnd)
            throw Chunk.Damaged("a column goes on after its end");
    }
}
