using System.Runtime.InteropServices;

namespace Telemetry.Storage.History;

/// <summary>Reads what <see cref="IntegerWriter"/> wrote.</summary>
internal sealed class IntegerReader
{
    private readonly Frequencies _frequencies = new();
    private readonly Slot[] _slots = new Slot[1 << Frequencies.ScaleMax];
    private readonly ulong[] _firsts = new ulong[Tokens.CountMax];
    private ushort[] _words = [];

    /// <summary>What decoding knows from the low bits of a state: token, its rest bits, its share, how far into the share.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 2)]
    private struct Slot
    {
        public ushort Share;
        public ushort Into;
        public byte Token;
        public byte RestBits;
    }

    /// <summary>Reads so many integers.</summary>
    /// <exception cref="StoreException">They are not what was written.</exception>
    public void Read(ref ByteReader input, Span<long> integers)
    {
        var form = input.Byte();
        var origin = input.Signed();
        var step = (form & IntegerWriter.HasStep) != 0 ? input.Signed() : 0;
        var divisor = (form & IntegerWriter.HasDivisor) != 0 ? (long)input.Varint() : 1;
        if ((form & IntegerWriter.HasTokens) != 0)
        {
            ReadTokens(ref input, integers, form >> IntegerWriter.ChoiceShift);
        }
        else
        {
            var width = input.Byte();
            if (width == 0 && step == 0)
            {
                integers.Fill(origin);
                return;
            }
            ReadPacked(ref input, integers, width);
        }
        Predict(integers, origin, step, divisor, (form & IntegerWriter.FromBefore) != 0);
    }

    private static void Predict(Span<long> integers, long origin, long step, long divisor, bool fromBefore)
    {
        if (fromBefore)
        {
            var before = origin - step;
            foreach (ref var integer in integers)
                integer = before += step + ZigZag.Decode((ulong)integer) * divisor;
        }
        else
        {
            var predicted = origin;
            foreach (ref var integer in integers)
            {
                integer = predicted + ZigZag.Decode((ulong)integer) * divisor;
                predicted += step;
            }
        }
    }

    private static void ReadPacked(ref ByteReader input, Span<long> numbers, int width)
    {
        if (width > 64)
            throw Chunk.Damaged($"integers of {width} bits");
        if (width == 0)
        {
            numbers.Clear();
            return;
        }
        var bits = input.Bits((long)width * numbers.Length);
        if (width <= BitReader.CountMax)
        {
            foreach (ref var number in numbers)
                number = (long)bits.Read(width);
        }
        else
        {
            foreach (ref var number in numbers)
                number = (long)bits.ReadLong(width);
        }
    }

    private void ReadTokens(ref ByteReader input, Span<long> numbers, int choice)
    {
        if (choice >= Tokens.Choices.Length)
            throw Chunk.Damaged($"tokens of kind {choice}");
        var tokens = Tokens.Choices[choice];
        _frequencies.Read(ref input);
        if (_frequencies.Count > tokens.End)
            throw Chunk.Damaged($"{_frequencies.Count} tokens of kind {choice}");
        var restBytes = input.Count(0, numbers.Length * 6, "bytes of rest bits");
        var wordCount = input.Count(0, numbers.Length, "words");
        var rest = new BitReader(input.Bytes(restBytes));
        var even = input.UInt32();
        var odd = input.UInt32();
        var words = Words(input.Bytes(wordCount * sizeof(ushort)), wordCount, numbers.Length);
        FillSlots(tokens);

        var scale = _frequencies.Scale;
        var mask = (1u << scale) - 1;
        var slots = _slots;
        var firsts = _firsts;
        var at = 0; // rises by one an integer at most, so it stays inside of the words
        var i = 0;
        for (; i + 1 < numbers.Length; i += 2)
        {
            var slot = slots[even & mask];
            var otherSlot = slots[odd & mask];
            even = slot.Share * (even >> scale) + slot.Into;
            odd = otherSlot.Share * (odd >> scale) + otherSlot.Into;
            // Without jumps, which the processor could not foresee.
            var below = even < IntegerWriter.StateMin;
            even = below ? even << 16 | words[at] : even;
            at += below ? 1 : 0;
            below = odd < IntegerWriter.StateMin;
            odd = below ? odd << 16 | words[at] : odd;
            at += below ? 1 : 0;
            numbers[i] = (long)(firsts[slot.Token] + rest.Read(slot.RestBits));
            numbers[i + 1] = (long)(firsts[otherSlot.Token] + rest.Read(otherSlot.RestBits));
        }
        if (i < numbers.Length)
        {
            var slot = slots[even & mask];
            even = slot.Share * (even >> scale) + slot.Into;
            if (even < IntegerWriter.StateMin)
                even = even << 16 | words[at++];
            numbers[i] = (long)(firsts[slot.Token] + rest.Read(slot.RestBits));
        }
        // The writer began with these states: a wrong bit almost never leads back to them.
        if (even != IntegerWriter.StateMin || odd != IntegerWriter.StateMin || at != wordCount || rest.BytesRead != restBytes)
            throw Chunk.Damaged("its tokens do not end where they should");
    }

    private ReadOnlySpan<ushort> Words(ReadOnlySpan<byte> bytes, int count, int numbers)
    {
        if (_words.Length < numbers + 1)
            _words = new ushort[numbers + 1];
        for (var i = 0; i < count; i++)
            _words[i] = (ushort)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        _words.AsSpan(count).Clear();
        return _words.AsSpan(0, numbers + 1);
    }

    private void FillSlots(Tokens tokens)
    {
        for (var token = 0; token < _frequencies.Count; token++)
        {
            var share = _frequencies.Shares[token];
            if (share == 0)
                continue;
            _firsts[token] = tokens.First(token);
            var slot = new Slot { Share = (ushort)share, Token = (byte)token, RestBits = (byte)tokens.RestBits(token) };
            foreach (ref var place in _slots.AsSpan((int)_frequencies.Starts[token], (int)share))
            {
                place = slot;
                slot.Into++;
            }
        }
    }
}
