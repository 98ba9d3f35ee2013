using System.Buffers.Binary;
using System.Buffers.Text;
using System.IO.Hashing;
using System.Text;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Http;

/// <summary>
/// Where a page of rows goes on, as an opaque text for the URL. It belongs to the filters of its query: with others, or
/// changed, it is refused. It grants nothing, so a checksum is enough.
/// </summary>
internal static class PageCursor
{
    // 0 version u8 | 1 time_unix_ms i64 | 9 series i64 | 17 left i64 | 25 total i64 | 33 checksum u64 of the bytes before and the filters
    private const int Bytes = 41;
    private const int ChecksumAt = 33;
    private const byte Version = 2;

    /// <summary>The text of a cursor.</summary>
    /// <param name="cursor">The last record of the page.</param>
    /// <param name="total">All records that matched on the first page: counting them again for each page would read them all.</param>
    /// <param name="filters">The query.</param>
    public static string Write(RowCursor cursor, long total, RowQuery filters)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], cursor.TimeUnixMs);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[9..], cursor.Series);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[17..], cursor.Left);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[25..], total);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[ChecksumAt..], Checksum(bytes[..ChecksumAt], filters));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a cursor; false when it is not one, or not of these filters.</summary>
    public static bool TryRead(string text, RowQuery filters, out RowCursor cursor, out long total)
    {
        (cursor, total) = (default, 0);
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != Base64Url.GetEncodedLength(Bytes)
            || !Base64Url.IsValid(text, out var length)
            || length != Bytes
            || Base64Url.DecodeFromChars(text, bytes) != Bytes
            || bytes[0] != Version
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes[ChecksumAt..]) != Checksum(bytes[..ChecksumAt], filters)
            || Base64Url.EncodeToString(bytes) != text)
        {
            return false;
        }
        cursor = new RowCursor(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[9..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[17..]));
        total = BinaryPrimitives.ReadInt64LittleEndian(bytes[25..]);
        return true;
    }

    private static ulong Checksum(ReadOnlySpan<byte> bytes, RowQuery filters)
    {
        var hash = new XxHash3();
        hash.Append(bytes);
        Append(hash, filters.Start?.UtcTicks ?? -1);
        Append(hash, filters.End?.UtcTicks ?? -1);
        foreach (var label in (ReadOnlySpan<string?>)[filters.HostId, filters.GpuId])
        {
            Append(hash, label?.Length ?? -1);
            hash.Append(Encoding.UTF8.GetBytes(label ?? ""));
        }
        return hash.GetCurrentHashAsUInt64();
    }

    private static void Append(XxHash3 hash, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        hash.Append(bytes);
    }
}
