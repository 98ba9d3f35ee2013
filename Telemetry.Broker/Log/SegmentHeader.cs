using System.Buffers.Binary;
using Telemetry.Messaging.Records;

namespace Telemetry.Broker.Log;

/// <summary>
/// The first 64 bytes of a segment file: which log it belongs to.
/// <code>
///   0  8 bytes  "GPUQLOG1"
///   8  16       topic id, big-endian
///  24  i32      partition
///  28  u32      CRC-32C of bytes 0 to 28 and 32 to 64
///  32  i64      offset of the first record
///  40           zeros
/// </code>
/// </summary>
internal readonly record struct SegmentHeader(Guid TopicId, int Partition, long BaseOffset)
{
    public const int Bytes = 64;

    private static ReadOnlySpan<byte> Magic => "GPUQLOG1"u8;

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        TopicId.TryWriteBytes(bytes.AsSpan(8), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), Partition);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), BaseOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), Checksum(bytes));
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out SegmentHeader header)
    {
        header = default;
        if (bytes.Length < Bytes || !bytes.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]) != Checksum(bytes))
            return false;
        header = new SegmentHeader(
            new Guid(bytes.Slice(8, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]));
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..28]), bytes[32..Bytes]);
}
