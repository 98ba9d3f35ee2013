using System.Buffers.Binary;
using System.Diagnostics;

namespace Telemetry.Messaging.Records;

/// <summary>Writes a builder's columns as a batch: the forms are picked first, so that one array of the exact size is filled.</summary>
internal static class RecordBatchEncoder
{
    // Scratch of the thread: no batch needs it for longer than its encoding.
    [ThreadStatic]
    private static double[]? _scratch;

    public static ReadOnlyMemory<byte> Encode(RecordBatchBuilder builder, ActivityContext trace)
    {
        var records = builder.Count;
        if (records == 0)
            throw new RecordBatchException("a batch has at least one record");
        var scratch = _scratch ?? [];
        Span<ColumnForm> forms = new ColumnForm[builder.MetricCount];
        var times = TimeForm.Choose(builder.Times);
        var seriesWidth = BitPacking.Width((ulong)(builder.SeriesList.Count - 1));
        var bitmap = (records + 7) / 8;
        var hasTrace = trace != default;
        var metrics = 0;
        var size = RecordBatchLayout.HeaderBytes + (hasTrace ? RecordBatchLayout.TraceBytes : 0) + (long)builder.TextBytes
            + BitPacking.Bytes(records, seriesWidth) + times.Bytes(records);
        for (var i = 0; i < forms.Length; i++)
        {
            var column = builder.Column(i);
            if (column.Present == 0)
            {
                size -= IdentityText.Bytes(column.Name); // known to the builder, but in no record
                continue;
            }
            forms[i] = ColumnForm.Choose(column.PresentValues(records, ref scratch));
            size += 1 + (column.Present < records ? bitmap : 0) + forms[i].Bytes;
            metrics++;
        }
        _scratch = scratch;
        if (size > RecordBatchLimits.BytesMax)
            throw new RecordBatchException($"the batch has {size} bytes, at most {RecordBatchLimits.BytesMax} are accepted");

        var encoded = GC.AllocateUninitializedArray<byte>((int)size);
        var rest = WriteHeader(encoded, builder, metrics, trace, hasTrace);
        rest = WriteTexts(rest, builder);
        rest = WriteSeries(rest, builder.SeriesOf, seriesWidth);
        rest = times.Write(rest, builder.Times);
        for (var i = 0; i < forms.Length; i++)
        {
            var column = builder.Column(i);
            if (column.Present == 0)
                continue;
            var sparse = column.Present < records;
            rest[0] = (byte)(forms[i].Form | (sparse ? RecordBatchLayout.FormSparse : 0));
            rest = rest[1..];
            if (sparse)
            {
                column.WritePresence(rest[..bitmap]);
                rest = rest[bitmap..];
            }
            forms[i].Write(column.PresentValues(records, ref scratch), rest[..forms[i].Bytes]);
            rest = rest[forms[i].Bytes..];
        }
        Debug.Assert(rest.IsEmpty, "the size was computed exactly");
        BinaryPrimitives.WriteUInt32LittleEndian(encoded.AsSpan(RecordBatchLayout.ChecksumAt), Crc32C.Compute(encoded.AsSpan(RecordBatchLayout.CheckedFrom)));
        return encoded;
    }

    private static Span<byte> WriteHeader(Span<byte> encoded, RecordBatchBuilder builder, int metrics, ActivityContext trace, bool hasTrace)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(encoded, RecordBatchLayout.Magic);
        encoded[RecordBatchLayout.VersionAt] = RecordBatchLayout.Version;
        encoded[RecordBatchLayout.FlagsAt] = hasTrace ? RecordBatchLayout.FlagTrace : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(encoded[RecordBatchLayout.ZeroAt..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(encoded[RecordBatchLayout.RecordCountAt..], builder.Count);
        BinaryPrimitives.WriteInt32LittleEndian(encoded[RecordBatchLayout.SeriesCountAt..], builder.SeriesList.Count);
        BinaryPrimitives.WriteInt32LittleEndian(encoded[RecordBatchLayout.MetricCountAt..], metrics);
        var rest = encoded[RecordBatchLayout.HeaderBytes..];
        if (!hasTrace)
            return rest;
        trace.TraceId.CopyTo(rest[..16]);
        trace.SpanId.CopyTo(rest.Slice(16, 8));
        rest[24] = (byte)trace.TraceFlags;
        return rest[RecordBatchLayout.TraceBytes..];
    }

    private static Span<byte> WriteTexts(Span<byte> rest, RecordBatchBuilder builder)
    {
        var series = builder.SeriesList;
        for (var i = 0; i < series.Count; i++)
        {
            var identity = series[i].Encoded;
            identity.CopyTo(rest);
            rest = rest[identity.Length..];
        }
        for (var i = 0; i < builder.MetricCount; i++)
        {
            var column = builder.Column(i);
            if (column.Present > 0)
                rest = rest[IdentityText.Write(column.Name, rest)..];
        }
        return rest;
    }

    private static Span<byte> WriteSeries(Span<byte> rest, ReadOnlySpan<int> seriesOf, int width)
    {
        var packer = new BitPacker(rest, width);
        foreach (var series in seriesOf)
            packer.Write((uint)series);
        packer.Flush();
        return rest[BitPacking.Bytes(seriesOf.Length, width)..];
    }

    /// <summary>Times are distances from the earliest, in whole seconds where all distances are.</summary>
    private readonly record struct TimeForm(long Base, bool Seconds, int Width)
    {
        private const ulong MsPerSecond = 1_000;

        public static TimeForm Choose(ReadOnlySpan<long> times)
        {
            var (min, max) = (times[0], times[0]);
            foreach (var time in times)
            {
                min = Math.Min(min, time);
                max = Math.Max(max, time);
            }
            var distance = (ulong)(max - min);
            var seconds = distance >= MsPerSecond && distance % MsPerSecond == 0;
            for (var i = 0; seconds && i < times.Length; i++)
                seconds = (ulong)(times[i] - min) % MsPerSecond == 0;
            return new TimeForm(min, seconds, BitPacking.Width(seconds ? distance / MsPerSecond : distance));
        }

        public int Bytes(int records) => RecordBatchLayout.TimeHeadBytes + BitPacking.Bytes(records, Width);

        public Span<byte> Write(Span<byte> rest, ReadOnlySpan<long> times)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, Base);
            rest[8] = Seconds ? (byte)1 : (byte)0;
            rest[9] = (byte)Width;
            var packer = new BitPacker(rest[RecordBatchLayout.TimeHeadBytes..], Width);
            foreach (var time in times)
            {
                var distance = (ulong)(time - Base);
                packer.Write(Seconds ? distance / MsPerSecond : distance);
            }
            packer.Flush();
            return rest[Bytes(times.Length)..];
        }
    }
}
