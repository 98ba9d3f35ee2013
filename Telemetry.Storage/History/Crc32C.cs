using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Storage.History;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), which System.IO.Hashing does not have.</summary>
internal static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>; <c>123456789</c> is 0xE3069283.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        if (BitConverter.IsLittleEndian)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(bytes);
            foreach (var word in words)
                crc = BitOperations.Crc32C(crc, word);
            bytes = bytes[(words.Length * sizeof(ulong))..];
        }
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
