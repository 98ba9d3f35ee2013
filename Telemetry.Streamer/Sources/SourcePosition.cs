using System.Buffers.Binary;

namespace Telemetry.Streamer.Sources;

/// <summary>
/// Where a shard stands in the input. It travels with every batch, opaque to the queue, and a restarted streamer gets back
/// the one that was acknowledged last.
/// </summary>
/// <param name="Pass">How often the input was read to its end before.</param>
/// <param name="FileIdentity"><see cref="InputFile.Identity"/>.</param>
/// <param name="Offset">The byte from which to read on: the end of a row, before its line break.</param>
/// <param name="Line">The line, from 1, that the offset is in.</param>
/// <param name="WindowEnd">In a long file within a window: where the window ends; otherwise -1.</param>
/// <param name="RecordsSent">In a long file within a window: the window's records that were sent already.</param>
internal sealed record SourcePosition(long Pass, long FileIdentity, long Offset, long Line, long WindowEnd = -1, long RecordsSent = 0)
{
    // 0 version u8 | 1 pass i64 | 9 file identity i64 | 17 offset i64 | 25 line i64 | 33 window end i64 | 41 records sent i64; little endian
    private const byte Version = 1;

    /// <summary>The bytes of an encoded position.</summary>
    public const int EncodedBytes = 49;

    /// <summary>The position as bytes.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[EncodedBytes];
        bytes[0] = Version;
        Span<long> fields = [Pass, FileIdentity, Offset, Line, WindowEnd, RecordsSent];
        for (var i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1 + (i * 8)), fields[i]);
        return bytes;
    }

    /// <summary>The position of bytes; null when they are not one that this program knows.</summary>
    public static SourcePosition? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != EncodedBytes || bytes[0] != Version)
            return null;
        Span<long> fields = stackalloc long[6];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(1 + (i * 8))..]);
        var position = new SourcePosition(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
        return position is { Pass: >= 0, Offset: >= 0, Line: >= 1, WindowEnd: >= -1, RecordsSent: >= 0 } ? position : null;
    }
}

/// <summary>A place in the input within one pass.</summary>
/// <param name="File">The file's index.</param>
/// <param name="Offset">A byte of it.</param>
/// <param name="Line">The line, from 1, that the offset is in; it does not count in comparisons.</param>
internal readonly record struct Place(int File, long Offset, long Line)
{
    /// <summary>Whether this place is before another.</summary>
    public bool IsBefore(Place other) => File < other.File || (File == other.File && Offset < other.Offset);

    /// <summary>The later of two.</summary>
    public static Place Later(Place a, Place b) => a.IsBefore(b) ? b : a;
}
