namespace Telemetry.Storage.History;

/// <summary>
/// How far apart a series' records are: how many distances of about each size there are, from each record to the one
/// written before it in the same hour. It says what the usual interval is, whatever was lost.
/// </summary>
internal sealed class Cadence
{
    private const int BinsOfOctave = 16;

    // By size. Most series have one or two; there are as many cadences as series and hours in a query.
    private (int Size, long Count, long Sum)[] _bins = new (int, long, long)[2];
    private int _used;

    private ReadOnlySpan<(int Size, long Count, long Sum)> Bins => _bins.AsSpan(0, _used);

    /// <summary>Of records that were written one after the other.</summary>
    public void Add(long from, long to)
    {
        if (to > from)
            Add((int)(Math.Log2(to - from) * BinsOfOctave), 1, to - from);
    }

    public void Add(Cadence other)
    {
        foreach (var (size, count, sum) in other.Bins)
            Add(size, count, sum);
    }

    /// <summary>The median distance in milliseconds, to some percent where distances vary; null where there is none.</summary>
    public double? UsualInterval()
    {
        var all = 0L;
        foreach (var bin in Bins)
            all += bin.Count;
        var half = (all + 1) / 2;
        foreach (var (_, count, sum) in Bins)
        {
            half -= count;
            if (half <= 0)
                return (double)sum / count;
        }
        return null;
    }

    public void Clear() => _used = 0;

    public void Write(ByteWriter output)
    {
        output.Varint((ulong)_used);
        foreach (var (size, count, sum) in Bins)
        {
            output.Varint((ulong)size);
            output.Varint((ulong)count);
            output.Varint((ulong)sum);
        }
    }

    /// <summary>Adds what <see cref="Write"/> wrote.</summary>
    public void Add(ref ByteReader input)
    {
        for (var left = input.Count(0, 64 * BinsOfOctave, "distances"); left > 0; left--)
        {
            var size = input.Count(0, 64 * BinsOfOctave, "as a size of distances");
            Add(size, input.Long(1, "distances"), input.Long(1, "milliseconds"));
        }
    }

    private void Add(int size, long count, long sum)
    {
        var at = _used;
        while (at > 0 && _bins[at - 1].Size > size)
            at--;
        if (at > 0 && _bins[at - 1].Size == size)
        {
            _bins[at - 1].Count += count;
            _bins[at - 1].Sum += sum;
            return;
        }
        if (_used == _bins.Length)
            Array.Resize(ref _bins, 2 * _used);
        _bins.AsSpan(at, _used - at).CopyTo(_bins.AsSpan(at + 1));
        _bins[at] = (size, count, sum);
        _used++;
    }
}
