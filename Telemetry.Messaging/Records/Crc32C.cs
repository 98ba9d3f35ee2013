using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Messaging.Records;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes an instruction where the processor has one
/// (<see cref="BitOperations.Crc32C(uint, ulong)"/>). System.IO.Hashing has the other polynomial only.
/// </summary>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>; <c>123456789</c> is 0xE3069283.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of what <paramref name="checksum"/> covers, followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        var crc = ~checksum;
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
