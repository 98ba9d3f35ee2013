using System.Buffers.Binary;
using Telemetry.Messaging.Records;

namespace Telemetry.Broker.Disk;

/// <summary>
/// A file that is replaced as a whole: after a crash it is the old one or the new one. Its first bytes are the CRC-32C of
/// the rest.
/// </summary>
internal static class SmallFile
{
    private const int ChecksumBytes = 4;

    /// <summary>Writes a file beside it, syncs that, and gives it the name.</summary>
    public static void Write(IDisk disk, string path, ReadOnlyMemory<byte> content, string temporarySuffix)
    {
        var checksum = new byte[ChecksumBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, Crc32C.Compute(content.Span));
        Replace(disk, path, [checksum, content], temporarySuffix);
    }

    /// <summary>The same without a checksum.</summary>
    public static void Replace(IDisk disk, string path, IReadOnlyList<ReadOnlyMemory<byte>> parts, string temporarySuffix)
    {
        var temporary = path + temporarySuffix;
        disk.Delete(temporary);
        using (var file = disk.Open(temporary, create: true))
        {
            file.Write(0, parts);
            file.Sync();
        }
        disk.Rename(temporary, path);
        disk.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Reads a file; null when it is missing or damaged.</summary>
    public static ReadOnlyMemory<byte>? Read(IDisk disk, string path)
    {
        if (!disk.Names(Path.GetDirectoryName(path)!).Contains(Path.GetFileName(path)))
            return null;
        using var file = disk.Open(path, create: false);
        var bytes = new byte[file.Length];
        if (bytes.Length < ChecksumBytes || file.Read(0, bytes) != bytes.Length)
            return null;
        var content = bytes.AsMemory(ChecksumBytes);
        return Crc32C.Compute(content.Span) == BinaryPrimitives.ReadUInt32LittleEndian(bytes) ? content : null;
    }
}
