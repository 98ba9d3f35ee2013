using System.Numerics;

namespace Telemetry.Storage.History;

/// <summary>
/// Compresses a column of 64-bit integers: what is left of each after a prediction, by its divisor, is either packed in
/// as many bits as the largest needs or entropy-coded with rANS (J. Duda, arXiv 1311.2540; two states in turn, so that
/// the processor decodes two integers at once).
/// <code>
///   u8             form: bit 0    the prediction: 0 is origin + step·i, 1 is the integer before + step
///                        bit 1    there is a step
///                        bit 2    there is a divisor
///                        bit 3    rANS
///                        bits 4-5 of rANS: how numbers are cut into tokens, see <see cref="Tokens.Choices"/>
///   zigzag varint  origin: the integer predicted first
///   zigzag varint  step, if there is one
///   varint         divisor, if there is one
///   packed:  u8 bits of each; the zigzag numbers
///   rANS:    <see cref="Frequencies"/>
///            varint bytes of the rest bits; varint 16-bit words
///            the rest bits; u32 state of the even integers; u32 state of the odd ones; the words
/// </code>
/// All arithmetic is modulo 2^64, so that any integers can be told from any prediction.
/// </summary>
/// <remarks>
/// The step is the median of some differences, so that a few gaps in the times cost a few bits; times that jitter about a
/// clock's beat are told best from that beat. A divisor finds memory in bytes that changes by pages, clocks in steps of
/// 15 MHz, and single-precision numbers among doubles.
/// </remarks>
internal sealed class IntegerWriter
{
    internal const int FromBefore = 0x01;
    internal const int HasStep = 0x02;
    internal const int HasDivisor = 0x04;
    internal const int HasTokens = 0x08;
    internal const int ChoiceShift = 4;

    /// <summary>The states of rANS are from here to below 2^16 times as much.</summary>
    internal const uint StateMin = 1 << 16;

    private const int SampledMax = 63;

    private readonly long[] _sampled = new long[SampledMax];
    private readonly int[] _counts = new int[Tokens.CountMax];
    private readonly Frequencies _frequencies = new();
    private ulong[] _numbers = [];
    private ulong[] _otherNumbers = [];
    private byte[] _tokens = [];
    private ushort[] _words = [];

    private readonly record struct Plan(bool FromBefore, long Origin, long Step, ulong Divisor, int Width, int Choice, double Bits);

    /// <summary>Writes the integers. <paramref name="rising"/>: they may lie on a line that is not level, as times do.</summary>
    public void Write(ByteWriter output, ReadOnlySpan<long> integers, bool rising)
    {
        if (_numbers.Length < integers.Length)
        {
            _numbers = new ulong[integers.Length];
            _otherNumbers = new ulong[integers.Length];
            _tokens = new byte[integers.Length];
            _words = new ushort[integers.Length];
        }
        var step = MedianStep(integers);
        var plan = Try(integers, _numbers, fromBefore: true, integers[0], step);
        if (plan.Width > 0)
        {
            var other = rising ? Try(integers, _otherNumbers, fromBefore: false, integers[0], Slope(integers))
                : Try(integers, _otherNumbers, fromBefore: false, MedianOf(integers), 0);
            if (other.Bits < plan.Bits)
            {
                plan = other;
                (_numbers, _otherNumbers) = (_otherNumbers, _numbers);
            }
        }
        var form = (plan.FromBefore ? FromBefore : 0) | (plan.Step != 0 ? HasStep : 0) | (plan.Divisor != 1 ? HasDivisor : 0)
            | (plan.Choice >= 0 ? HasTokens | plan.Choice << ChoiceShift : 0);
        output.Byte(form);
        output.Signed(plan.Origin);
        if (plan.Step != 0)
            output.Signed(plan.Step);
        if (plan.Divisor != 1)
            output.Varint(plan.Divisor);
        var numbers = _numbers.AsSpan(0, integers.Length);
        if (plan.Choice >= 0)
            WriteTokens(output, numbers, Tokens.Choices[plan.Choice]);
        else
            WritePacked(output, numbers, plan.Width);
    }

    private Plan Try(ReadOnlySpan<long> integers, Span<ulong> numbers, bool fromBefore, long origin, long step)
    {
        var divisor = 0UL;
        var predicted = origin;
        for (var i = 0; i < integers.Length; i++)
        {
            var left = integers[i] - predicted;
            predicted = (fromBefore ? integers[i] : predicted) + step;
            numbers[i] = (ulong)left;
            if (divisor != 1 && left != 0)
                divisor = GreatestCommon(divisor, Magnitude(left));
        }
        if (divisor is 0 or > long.MaxValue)
            divisor = 1;
        var any = 0UL;
        for (var i = 0; i < integers.Length; i++)
        {
            var left = (long)numbers[i];
            any |= numbers[i] = ZigZag.Encode(divisor == 1 ? left : left / (long)divisor);
        }
        var width = BitOperations.Log2(any) + (any == 0 ? 0 : 1);
        var plan = new Plan(fromBefore, origin, step, divisor, width, -1, 8 + (double)width * integers.Length);
        if (any >= Tokens.NumberEnd)
            return plan;
        for (var choice = 0; choice < Tokens.Choices.Length && width > 0; choice++)
        {
            var bits = Cost(numbers[..integers.Length], Tokens.Choices[choice]);
            if (bits < plan.Bits)
                plan = plan with { Choice = choice, Bits = bits };
        }
        return plan;
    }

    private double Cost(ReadOnlySpan<ulong> numbers, Tokens tokens)
    {
        var last = Count(numbers, tokens, []);
        var bits = Frequencies.Cost(_counts.AsSpan(0, last + 1), numbers.Length);
        for (var token = 0; token <= last; token++)
            bits += (double)_counts[token] * tokens.RestBits(token);
        return bits;
    }

    /// <summary>Counts the tokens, and keeps them where there is room.</summary>
    /// <returns>The last that occurs.</returns>
    private int Count(ReadOnlySpan<ulong> numbers, Tokens tokens, Span<byte> kept)
    {
        Array.Clear(_counts);
        var last = 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            var token = tokens.TokenOf(numbers[i]);
            _counts[token]++;
            last = Math.Max(last, token);
            if (!kept.IsEmpty)
                kept[i] = (byte)token;
        }
        return last;
    }

    private static void WritePacked(ByteWriter output, ReadOnlySpan<ulong> numbers, int width)
    {
        output.Byte(width);
        if (width == 0)
            return;
        foreach (var number in numbers)
            output.Bits(number, width);
        output.EndBits();
    }

    private void WriteTokens(ByteWriter output, ReadOnlySpan<ulong> numbers, Tokens tokens)
    {
        var kept = _tokens.AsSpan(0, numbers.Length);
        var last = Count(numbers, tokens, kept);
        _frequencies.Set(_counts.AsSpan(0, last + 1), numbers.Length);
        _frequencies.Write(output);
        var restBits = 0L;
        for (var token = 0; token <= last; token++)
            restBits += (long)_counts[token] * tokens.RestBits(token);

        // rANS is a stack: what is decoded first is encoded last, and the words are written from the last to the first.
        uint even = StateMin, odd = StateMin;
        var firstWord = _words.Length;
        for (var i = numbers.Length - 1; i >= 0; i--)
        {
            ref var state = ref (i & 1) == 0 ? ref even : ref odd;
            var share = _frequencies.Shares[kept[i]];
            if (state >= (ulong)share << (32 - _frequencies.Scale))
            {
                _words[--firstWord] = (ushort)state;
                state >>= 16;
            }
            var (quotient, remainder) = Math.DivRem(state, share);
            state = (quotient << _frequencies.Scale) + remainder + _frequencies.Starts[kept[i]];
        }
        output.Varint((ulong)((restBits + 7) / 8));
        output.Varint((ulong)(_words.Length - firstWord));
        for (var i = 0; i < numbers.Length; i++)
        {
            var rest = tokens.RestBits(kept[i]);
            if (rest > 0)
                output.Bits(numbers[i] & ((1UL << rest) - 1), rest);
        }
        output.EndBits();
        output.UInt32(even);
        output.UInt32(odd);
        foreach (var word in _words.AsSpan(firstWord))
            output.Bits(word, 16);
        output.EndBits();
    }

    private long MedianStep(ReadOnlySpan<long> integers)
    {
        if (integers.Length == 1)
            return 0;
        var count = Math.Min(SampledMax, integers.Length - 1);
        for (var i = 0; i < count; i++)
        {
            var at = (int)((long)i * (integers.Length - 1) / count);
            _sampled[i] = integers[at + 1] - integers[at];
        }
        return MedianOfSampled(count);
    }

    /// <summary>The step over long distances, where jitter averages out; the median, as one of them may span a gap.</summary>
    private long Slope(ReadOnlySpan<long> integers)
    {
        var distance = integers.Length / 2;
        var count = Math.Min(SampledMax, integers.Length - distance);
        for (var i = 0; i < count; i++)
        {
            var at = (int)((long)i * (integers.Length - distance) / count);
            _sampled[i] = integers[at + distance] - integers[at];
        }
        return (long)Math.Round((double)MedianOfSampled(count) / distance);
    }

    private long MedianOf(ReadOnlySpan<long> integers)
    {
        var count = Math.Min(SampledMax, integers.Length);
        for (var i = 0; i < count; i++)
            _sampled[i] = integers[(int)((long)i * integers.Length / count)];
        return MedianOfSampled(count);
    }

    private long MedianOfSampled(int count)
    {
        _sampled.AsSpan(0, count).Sort();
        return _sampled[count / 2];
    }

    private static ulong Magnitude(long value) => value < 0 ? 0UL - (ulong)value : (ulong)value;

    private static ulong GreatestCommon(ulong a, ulong b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
