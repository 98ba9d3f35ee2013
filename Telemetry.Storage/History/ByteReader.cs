using System.Buffers.Binary;

namespace Telemetry.Storage.History;

/// <summary>Reads what <see cref="ByteWriter"/> wrote; never beyond the end.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>The bytes that are left.</summary>
    public readonly int Length => _rest.Length;

    public readonly bool AtEnd => _rest.IsEmpty;

    public int Byte() => Bytes(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(8));

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > _rest.Length)
            throw Chunk.Damaged("it ends too early");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw Chunk.Damaged("a number is too long");
    }

    public long Signed() => ZigZag.Decode(Varint());

    /// <summary>A number that must be from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public int Count(int min, int max, string what)
    {
        var value = Varint();
        return value <= int.MaxValue && (int)value >= min && (int)value <= max ? (int)value
            : throw Chunk.Damaged($"{value} {what}, expected {min} to {max}");
    }

    /// <summary>A number that must be at least <paramref name="min"/>.</summary>
    public long Long(long min, string what)
    {
        var value = Varint();
        return value <= long.MaxValue && (long)value >= min ? (long)value : throw Chunk.Damaged($"{value} {what}, expected at least {min}");
    }

    /// <summary>Bits that fill whole bytes.</summary>
    public BitReader Bits(long count) => new(Bytes(checked((int)((count + 7) / 8))));

    /// <summary>The bits of all that is left, for what says itself how long it is; <see cref="Skip"/> then.</summary>
    public readonly BitReader Bits() => new(_rest);

    /// <summary>Goes on behind the bits that were read.</summary>
    public void Skip(in BitReader bits) => Bytes(checked((int)bits.BytesRead));
}

/// <summary>Reads bits, lowest first; beyond the end they are zeros, and <see cref="BytesRead"/> tells.</summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The most bits of one read.</summary>
    public const int CountMax = 56;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private long _position;

    /// <summary>The bytes that hold the bits read so far.</summary>
    public readonly long BytesRead => (_position + 7) / 8;

    public ulong Read(int count)
    {
        var start = (int)(_position >> 3);
        var word = (uint)start + 8u <= (uint)_bytes.Length ? BinaryPrimitives.ReadUInt64LittleEndian(_bytes[start..]) : Tail(start);
        var value = (word >> (int)(_position & 7)) & ((1UL << count) - 1);
        _position += count;
        return value;
    }

    /// <summary>Up to 64 bits.</summary>
    public ulong ReadLong(int count) => count <= CountMax ? Read(count) : Read(32) | Read(count - 32) << 32;

    private readonly ulong Tail(int start)
    {
        ulong word = 0;
        for (var i = start; i < _bytes.Length; i++)
            word |= (ulong)_bytes[i] << ((i - start) * 8);
        return word;
    }
}
