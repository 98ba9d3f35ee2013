using System.Buffers.Binary;
using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

/// <summary>
/// The runs of a segment beside it in a file, so that a log is opened without reading all of it. A cache: it is made again
/// from the segment when it is missing, damaged, or not of this segment. Beside the last segment it says that the log was
/// closed in order.
/// <code>
///   0  u32  CRC-32C of the rest
///   4  8 bytes "GPUQIDX1"
///  12  i64  offset of the first record, i64 offset after the last, i64 length of the segment, i64 number of runs
///  44       each run: i64 offset, i64 position, i64 newest log time, i64 latest wall time
/// </code>
/// </summary>
internal static class SegmentIndex
{
    private const int HeadBytes = 40;
    private const int RunBytes = 32;

    private static ReadOnlySpan<byte> Magic => "GPUQIDX1"u8;

    /// <summary>Writes it.</summary>
    public static void Write(IDisk disk, Segment segment)
    {
        var runs = segment.Runs;
        var bytes = new byte[HeadBytes + (runs.Length * RunBytes)];
        Magic.CopyTo(bytes);
        WriteNumbers(bytes.AsSpan(8), segment.BaseOffset, segment.EndOffset, segment.Length, runs.Length);
        for (var i = 0; i < runs.Length; i++)
            WriteNumbers(bytes.AsSpan(HeadBytes + (i * RunBytes)), runs[i].BaseOffset, runs[i].Position, runs[i].LastLogMs, runs[i].LastUnixMs);
        SmallFile.Write(disk, LogFiles.Index(segment.Path), bytes, LogFiles.TemporarySuffix);
    }

    /// <summary>Fills a segment from it.</summary>
    /// <returns>False when there is none that fits; the segment is as it was.</returns>
    public static bool TryRead(IDisk disk, Segment segment)
    {
        if (SmallFile.Read(disk, LogFiles.Index(segment.Path)) is not { } memory)
            return false;
        var bytes = memory.Span;
        if (bytes.Length < HeadBytes || !bytes.StartsWith(Magic))
            return false;
        var (baseOffset, endOffset, length, count) = ReadNumbers(bytes[8..]);
        if (baseOffset != segment.BaseOffset || length != segment.File.Length || bytes.Length != HeadBytes + (count * RunBytes))
            return false;
        for (var i = 0; i < count; i++)
        {
            var (offset, position, lastLogMs, lastUnixMs) = ReadNumbers(bytes[(HeadBytes + (i * RunBytes))..]);
            segment.Add(new Run(offset, position) { LastLogMs = lastLogMs, LastUnixMs = lastUnixMs });
        }
        segment.Publish(length, endOffset);
        return true;
    }

    private static void WriteNumbers(Span<byte> to, long a, long b, long c, long d)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, a);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], b);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], c);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], d);
    }

    private static (long A, long B, long C, long D) ReadNumbers(ReadOnlySpan<byte> from) => (
        BinaryPrimitives.ReadInt64LittleEndian(from),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[24..]));
}
