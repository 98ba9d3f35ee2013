using System.Buffers.Binary;
using System.Numerics;

namespace Telemetry.Messaging.Records;

/// <summary>Whole numbers of a fixed number of bits, low bits first, without gaps (<see cref="RecordBatchLayout"/>).</summary>
internal static class BitPacking
{
    /// <summary>A value and its shift within a byte have to fit into one 64-bit word.</summary>
    public const int WidthMax = 57;

    /// <summary>The bits that <paramref name="max"/> needs; 0 for 0.</summary>
    public static int Width(ulong max) => 64 - BitOperations.LeadingZeroCount(max);

    /// <summary>The bytes of <paramref name="count"/> values.</summary>
    public static int Bytes(int count, int width) => (int)(((long)count * width + 7) / 8);

    /// <summary>
    /// Reads values from <paramref name="first"/> on. <paramref name="packed"/> is the whole column; the caller has checked
    /// that it is long enough.
    /// </summary>
    public static void Unpack(ReadOnlySpan<byte> packed, int width, int first, Span<ulong> values)
    {
        if (width == 0)
        {
            values.Clear();
            return;
        }
        var mask = (1UL << width) - 1;
        var bit = (long)first * width;
        var i = 0;
        for (; i < values.Length; i++, bit += width)
        {
            var at = (int)(bit >> 3);
            if (packed.Length - at < sizeof(ulong))
                break;
            values[i] = (BinaryPrimitives.ReadUInt64LittleEndian(packed[at..]) >> (int)(bit & 7)) & mask;
        }
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        for (; i < values.Length; i++, bit += width)
        {
            var rest = packed[(int)(bit >> 3)..];
            word.Clear();
            rest.CopyTo(word);
            values[i] = (BinaryPrimitives.ReadUInt64LittleEndian(word) >> (int)(bit & 7)) & mask;
        }
    }
}

/// <summary>Writes packed values one after another into exactly <see cref="BitPacking.Bytes"/> bytes.</summary>
internal ref struct BitPacker(Span<byte> destination, int width)
{
    private readonly Span<byte> _destination = destination;
    private ulong _word;
    private int _bits;
    private int _at;

    /// <summary>Appends a value of at most the width's bits.</summary>
    public void Write(ulong value)
    {
        _word |= value << _bits;
        _bits += width;
        if (_bits < 64)
            return;
        BinaryPrimitives.WriteUInt64LittleEndian(_destination[_at..], _word);
        _at += sizeof(ulong);
        _bits -= 64;
        _word = _bits == 0 ? 0 : value >> (width - _bits);
    }

    /// <summary>Writes the last, partial word.</summary>
    public void Flush()
    {
        for (; _bits > 0; _bits -= 8, _word >>= 8)
            _destination[_at++] = (byte)_word;
        _bits = 0;
    }
}
