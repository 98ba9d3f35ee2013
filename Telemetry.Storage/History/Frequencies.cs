using System.Numerics;

namespace Telemetry.Storage.History;

/// <summary>
/// How often each token occurs, as rANS needs it: shares of 2^scale, every token that occurs has one at least.
/// <code>
///   u8    the last token
///   u8    scale, 6 to 12
///   bits  for each token: 1 bit whether it occurs; if so 4 bits e and min(e, 2) bits m, which are its weight 2^e + m·2^(e-2)
/// </code>
/// The weights are rough, a quarter of an octave, and cost 7 bits each: exact ones would cost more than they save.
/// Writer and reader make the shares of them in the same way.
/// </summary>
internal sealed class Frequencies
{
    public const int ScaleMin = 6;
    public const int ScaleMax = 12;
    private const int LeadingBits = 2;

    private readonly int[] _weights = new int[Tokens.CountMax];

    /// <summary>Bits of the sum of all shares.</summary>
    public int Scale { get; private set; }

    /// <summary>The number of tokens, those that do not occur included.</summary>
    public int Count { get; private set; }

    /// <summary>Each token's share.</summary>
    public uint[] Shares { get; } = new uint[Tokens.CountMax];

    /// <summary>The sum of the shares of the tokens before each.</summary>
    public uint[] Starts { get; } = new uint[Tokens.CountMax];

    /// <summary>About the bits that tokens with these counts take, the table included.</summary>
    public static double Cost(ReadOnlySpan<int> counts, int total)
    {
        var bits = 16.0 + 64 + 16; // also the two states and the lengths
        var log = Math.Log2(total);
        foreach (var count in counts)
            bits += count == 0 ? 1 : 7 + count * (log - Math.Log2(count));
        return bits;
    }

    public void Set(ReadOnlySpan<int> counts, int total)
    {
        Count = counts.Length;
        var occurring = 0;
        for (var token = 0; token < Count; token++)
        {
            var weight = counts[token] == 0 ? 0 : Math.Max(1, (int)((long)counts[token] * 4_095 / total));
            if (weight > 0)
            {
                occurring++;
                var rest = Math.Max(0, BitOperations.Log2((uint)weight) - LeadingBits);
                // To the nearest; a carry into the next power of two is right, but there is none beyond the highest.
                var rounded = (weight + (1 << rest >> 1)) >> rest << rest;
                weight = rounded > 4_095 ? weight >> rest << rest : rounded;
            }
            _weights[token] = weight;
        }
        Scale = Math.Min(ScaleMax, Math.Max(ScaleMin, 1 + Math.Max(BitOperations.Log2((uint)total), BitOperations.Log2((uint)occurring) + 1)));
        Share();
    }

    public void Write(ByteWriter output)
    {
        output.Byte(Count - 1);
        output.Byte(Scale);
        for (var token = 0; token < Count; token++)
        {
            var weight = _weights[token];
            output.Bits(weight == 0 ? 0u : 1u, 1);
            if (weight == 0)
                continue;
            var e = BitOperations.Log2((uint)weight);
            output.Bits((uint)e, 4);
            var leading = Math.Min(e, LeadingBits);
            output.Bits((uint)((weight >> (e - leading)) & ((1 << leading) - 1)), leading);
        }
        output.EndBits();
    }

    public void Read(ref ByteReader input)
    {
        Count = input.Byte() + 1;
        Scale = input.Byte();
        if (Scale is < ScaleMin or > ScaleMax)
            throw Chunk.Damaged($"a scale of {Scale}");
        var bits = input.Bits();
        var occurring = 0;
        for (var token = 0; token < Count; token++)
        {
            _weights[token] = 0;
            if (bits.Read(1) == 0)
                continue;
            var e = (int)bits.Read(4);
            var leading = Math.Min(e, LeadingBits);
            _weights[token] = (1 << e) | ((int)bits.Read(leading) << (e - leading));
            occurring++;
        }
        input.Skip(bits);
        if (occurring == 0 || occurring > 1 << Scale)
            throw Chunk.Damaged($"{occurring} tokens in a scale of {Scale}");
        Share();
    }

    private void Share()
    {
        long sum = 0;
        for (var token = 0; token < Count; token++)
            sum += _weights[token];
        var excess = -(1L << Scale);
        for (var token = 0; token < Count; token++)
        {
            Shares[token] = _weights[token] == 0 ? 0 : (uint)Math.Max(1, ((long)_weights[token] << Scale) / sum);
            excess += Shares[token];
        }
        // What rounding left over goes to the largest; what was too much is taken from whichever is largest then.
        while (excess != 0)
        {
            var largest = Shares.AsSpan(0, Count).IndexOf(Max());
            var change = excess < 0 ? excess : Math.Min(excess, Math.Max(1, Shares[largest] / 2));
            Shares[largest] = (uint)(Shares[largest] - change);
            excess -= change;
        }
        uint start = 0;
        for (var token = 0; token < Count; token++)
        {
            Starts[token] = start;
            start += Shares[token];
        }
    }

    private uint Max()
    {
        var max = 0u;
        foreach (var share in Shares.AsSpan(0, Count))
            max = Math.Max(max, share);
        return max;
    }
}
