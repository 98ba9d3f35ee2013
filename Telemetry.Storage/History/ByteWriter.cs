using System.Buffers.Binary;

namespace Telemetry.Storage.History;

/// <summary>Bytes in a buffer that grows and is used again, with numbers of a varying number of bytes and of bits.</summary>
internal sealed class ByteWriter
{
    private byte[] _bytes = new byte[4_096];
    private int _length;
    private ulong _bits; // written, but not yet a byte
    private int _bitCount;

    public int Length => _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>What was written from here on can be changed.</summary>
    public Span<byte> From(int start) => _bytes.AsSpan(start, _length - start);

    public void Clear() => _length = 0;

    public void Byte(int value) => Take(1)[0] = checked((byte)value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    public void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Byte((int)(value & 0x7F) | 0x80);
        Byte((int)value);
    }

    public void Signed(long value) => Varint(ZigZag.Encode(value));

    /// <summary>The lowest bits of a number, after the bits before them; <see cref="EndBits"/> fills the last byte.</summary>
    public void Bits(ulong value, int count)
    {
        if (count > 32)
        {
            Bits(value & uint.MaxValue, 32);
            value >>= 32;
            count -= 32;
        }
        _bits |= value << _bitCount;
        _bitCount += count;
        if (_bitCount < 32)
            return;
        UInt32((uint)_bits);
        _bits >>= 32;
        _bitCount -= 32;
    }

    public void EndBits()
    {
        for (; _bitCount > 0; _bitCount -= 8, _bits >>= 8)
            Byte((int)(_bits & 0xFF));
        _bits = 0;
        _bitCount = 0;
    }

    private Span<byte> Take(int count)
    {
        if (_bytes.Length - _length < count)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}
