using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;

namespace Telemetry.Messaging.Records;

/// <summary>Reads a batch from bytes that may be anything: every length is checked before it is used or allocated.</summary>
internal ref struct RecordBatchDecoder
{
    private const int BlockValues = 256;

    private readonly IdentityCache? _identities;
    private readonly int _total;
    private ReadOnlySpan<byte> _rest;
    private List<int>? _poisoned;

    private RecordBatchDecoder(ReadOnlySpan<byte> encoded, IdentityCache? identities)
    {
        _rest = encoded;
        _total = encoded.Length;
        _identities = identities;
    }

    public static RecordBatch Decode(ReadOnlySpan<byte> encoded, IdentityCache? identities) =>
        new RecordBatchDecoder(encoded, identities).Decode();

    private RecordBatch Decode()
    {
        var (records, seriesCount, metricCount, hasTrace) = ReadHeader();
        var trace = hasTrace ? ReadTrace() : default;
        var series = ReadSeries(seriesCount);
        var metrics = ReadMetrics(metricCount);
        var seriesOf = ReadSeriesOf(records, seriesCount);
        var times = ReadTimes(records);
        var values = new double[metricCount][];
        for (var i = 0; i < metricCount; i++)
            values[i] = ReadColumn(records, metrics[i]);
        if (!_rest.IsEmpty)
            throw Damaged($"{_rest.Length} bytes follow the last column");
        int[] poisoned = _poisoned is null ? [] : [.. _poisoned.Distinct().Order()];
        return new RecordBatch(series, metrics, times, seriesOf, values, poisoned, trace);
    }

    private (int Records, int Series, int Metrics, bool HasTrace) ReadHeader()
    {
        if (_total > RecordBatchLimits.BytesMax)
            throw new RecordBatchException($"{_total} bytes are no record batch: at most {RecordBatchLimits.BytesMax} are accepted");
        if (_total < RecordBatchLayout.HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(_rest) != RecordBatchLayout.Magic)
            throw new RecordBatchException($"{_total} bytes are no record batch: they do not begin with its header");
        if (_rest[RecordBatchLayout.VersionAt] != RecordBatchLayout.Version)
            throw new RecordBatchException($"a record batch of version {_rest[RecordBatchLayout.VersionAt]}, this program reads version {RecordBatchLayout.Version}");
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(_rest[RecordBatchLayout.ChecksumAt..]);
        var actual = Crc32C.Compute(_rest[RecordBatchLayout.CheckedFrom..]);
        if (checksum != actual)
            throw Damaged($"its checksum is {actual:x8}, the header says {checksum:x8}");
        var flags = _rest[RecordBatchLayout.FlagsAt];
        if ((flags & ~RecordBatchLayout.FlagTrace) != 0 || BinaryPrimitives.ReadUInt16LittleEndian(_rest[RecordBatchLayout.ZeroAt..]) != 0)
            throw Damaged($"unknown flags {flags:x2}");
        var records = Bounded(RecordBatchLayout.RecordCountAt, 1, RecordBatchLimits.RecordsMax, "records");
        var series = Bounded(RecordBatchLayout.SeriesCountAt, 1, RecordBatchLimits.RecordsMax, "series");
        var metrics = Bounded(RecordBatchLayout.MetricCountAt, 0, RecordBatchLimits.MetricsMax, "metrics");
        if ((long)records * metrics > RecordBatchLimits.CellsMax)
            throw Damaged($"{records} records of {metrics} metrics, at most {RecordBatchLimits.CellsMax} values are accepted");
        _rest = _rest[RecordBatchLayout.HeaderBytes..];
        return (records, series, metrics, flags != 0);
    }

    private readonly int Bounded(int at, uint min, uint max, string what)
    {
        var value = BinaryPrimitives.ReadUInt32LittleEndian(_rest[at..]);
        return value >= min && value <= max ? (int)value : throw Damaged($"{value} {what}, {min} to {max} are accepted");
    }

    private ActivityContext ReadTrace()
    {
        var bytes = Take(RecordBatchLayout.TraceBytes, "the trace");
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(bytes[..16]), ActivitySpanId.CreateFromBytes(bytes.Slice(16, 8)), (ActivityTraceFlags)bytes[24], isRemote: true);
    }

    private GpuIdentity[] ReadSeries(int count)
    {
        if (_rest.Length / RecordBatchLayout.IdentityLabels < count)
            throw Damaged($"{count} identities do not fit into {_rest.Length} bytes");
        var series = new GpuIdentity[count];
        for (var i = 0; i < count; i++)
        {
            var length = IdentityText.Measure(_rest);
            if (length < 0)
                throw Damaged($"identity {i} ends early or has a label that is too long");
            var encoded = Take(length, "an identity");
            series[i] = _identities?.Get(encoded) ?? IdentityText.Decode(encoded);
        }
        return series;
    }

    private string[] ReadMetrics(int count)
    {
        if (_rest.Length < count)
            throw Damaged($"{count} metric names do not fit into {_rest.Length} bytes");
        var metrics = new string[count];
        var known = new HashSet<string>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!IdentityText.TryRead(_rest, out var start, out var length) || length == 0)
                throw Damaged($"the name of metric {i} is empty, too long or ends early");
            metrics[i] = IdentityText.Text(_rest.Slice(start, length));
            if (!known.Add(metrics[i]))
                throw Damaged($"metric '{metrics[i]}' stands in it twice");
            _rest = _rest[(start + length)..];
        }
        return metrics;
    }

    private int[] ReadSeriesOf(int records, int seriesCount)
    {
        var width = BitPacking.Width((ulong)(seriesCount - 1));
        var packed = Take(BitPacking.Bytes(records, width), "the series column");
        var seriesOf = new int[records];
        Span<ulong> block = stackalloc ulong[BlockValues];
        for (var from = 0; from < records; from += BlockValues)
        {
            var values = block[..Math.Min(BlockValues, records - from)];
            BitPacking.Unpack(packed, width, from, values);
            for (var i = 0; i < values.Length; i++)
            {
                if (values[i] >= (ulong)seriesCount)
                    throw Damaged($"record {from + i} is of series {values[i]}, there are {seriesCount}");
                seriesOf[from + i] = (int)values[i];
            }
        }
        return seriesOf;
    }

    private long[] ReadTimes(int records)
    {
        var head = Take(RecordBatchLayout.TimeHeadBytes, "the time column");
        var first = BinaryPrimitives.ReadInt64LittleEndian(head);
        var (unit, width) = (head[8], head[9]);
        if (first is < RecordBatchLimits.TimeUnixMsMin or > RecordBatchLimits.TimeUnixMsMax || unit > 1 || width > RecordBatchLayout.TimeWidthMax)
            throw Damaged($"a time column from {first} ms in {width} bits of unit {unit}");
        var packed = Take(BitPacking.Bytes(records, width), "the time column");
        var step = unit == 1 ? 1_000L : 1L;
        var times = new long[records];
        Span<ulong> block = stackalloc ulong[BlockValues];
        var latest = first;
        for (var from = 0; from < records; from += BlockValues)
        {
            var values = block[..Math.Min(BlockValues, records - from)];
            BitPacking.Unpack(packed, width, from, values);
            for (var i = 0; i < values.Length; i++)
            {
                var time = first + ((long)values[i] * step);
                latest = Math.Max(latest, time);
                times[from + i] = time;
            }
        }
        return latest <= RecordBatchLimits.TimeUnixMsMax ? times : throw Damaged($"a time of {latest} ms is after the year 9999");
    }

    private double[] ReadColumn(int records, string metric)
    {
        var form = Take(1, metric)[0];
        ReadOnlySpan<byte> presence = default;
        var present = records;
        if ((form & RecordBatchLayout.FormSparse) != 0)
        {
            presence = Take((records + 7) / 8, metric);
            present = CountBits(presence);
            if ((records & 7) != 0 && presence[^1] >> (records & 7) != 0)
                throw Damaged($"{metric} has values after the last record");
        }
        var values = GC.AllocateUninitializedArray<double>(records);
        switch (form & ~RecordBatchLayout.FormSparse)
        {
            case RecordBatchLayout.FormPlain:
                var plain = Take(present * sizeof(double), metric);
                for (var i = 0; i < present; i++)
                    values[i] = BinaryPrimitives.ReadDoubleLittleEndian(plain[(i * sizeof(double))..]);
                break;
            case RecordBatchLayout.FormConstant:
                values.AsSpan(0, present).Fill(BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double), metric)));
                break;
            case RecordBatchLayout.FormDecimal:
                ReadDecimals(values.AsSpan(0, present), metric);
                break;
            default:
                throw Damaged($"{metric} has the unknown form {form:x2}");
        }
        NotePoisoned(values.AsSpan(0, present), presence);
        if (present < records)
            Spread(values, present, presence);
        return values;
    }

    private void ReadDecimals(Span<double> values, string metric)
    {
        var head = Take(RecordBatchLayout.DecimalHeadBytes, metric);
        var first = BinaryPrimitives.ReadInt64LittleEndian(head);
        var (scale, width) = (head[8], head[9]);
        if (first is <= -RecordBatchLayout.DecimalMax or >= RecordBatchLayout.DecimalMax
            || scale > RecordBatchLayout.DecimalScaleMax || width > RecordBatchLayout.DecimalWidthMax)
            throw Damaged($"{metric} has decimals from {first} in {width} bits of scale {scale}");
        var packed = Take(BitPacking.Bytes(values.Length, width), metric);
        var power = RecordBatchLayout.PowersOfTen[scale];
        Span<ulong> block = stackalloc ulong[BlockValues];
        for (var from = 0; from < values.Length; from += BlockValues)
        {
            var raw = block[..Math.Min(BlockValues, values.Length - from)];
            BitPacking.Unpack(packed, width, from, raw);
            var target = values.Slice(from, raw.Length);
            if (scale == 0)
            {
                for (var i = 0; i < raw.Length; i++)
                    target[i] = first + (long)raw[i];
            }
            else
            {
                for (var i = 0; i < raw.Length; i++)
                    target[i] = (first + (long)raw[i]) / power;
            }
        }
    }

    private void NotePoisoned(ReadOnlySpan<double> present, ReadOnlySpan<byte> presence)
    {
        var index = 0;
        for (var i = 0; i < present.Length; i++, index++)
        {
            while (!presence.IsEmpty && (presence[index >> 3] >> (index & 7) & 1) == 0)
                index++;
            if (!double.IsFinite(present[i]))
                (_poisoned ??= []).Add(index);
        }
    }

    /// <summary>Moves the present values, closed up at the start, to their records; from the end, so that none is overwritten.</summary>
    private static void Spread(Span<double> values, int present, ReadOnlySpan<byte> presence)
    {
        for (var record = values.Length - 1; record >= 0; record--)
            values[record] = (presence[record >> 3] >> (record & 7) & 1) != 0 ? values[--present] : double.NaN;
    }

    private static int CountBits(ReadOnlySpan<byte> bits)
    {
        var count = 0;
        foreach (var value in bits)
            count += BitOperations.PopCount(value);
        return count;
    }

    private ReadOnlySpan<byte> Take(int length, string what)
    {
        if (length > _rest.Length)
            throw Damaged($"{what} needs {length} bytes, {_rest.Length} are left");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static RecordBatchException Damaged(string what) => new($"a damaged record batch: {what}");
}
