namespace Telemetry.Storage.History;

/// <summary>
/// How far apart a series' records are: how many distances of about each size there are, from each record to the one
/// written before it in the same hour. It says what the usual interval is, whatever was lost.
/// </summary>
internal sealed class Cadence
{
    private const int BinsOfOctave = 16;

    private readonly SortedDictionary<int, (long Count, long Sum)> _bins = [];

    /// <summary>Of records that were written one after the other.</summary>
    public void Add(long from, long to)
    {
        if (to > from)
            Add((int)(Math.Log2(to - from) * BinsOfOctave), 1, to - from);
    }

    public void Add(Cadence other)
    {
        foreach (var (bin, (count, sum)) in other._bins)
            Add(bin, count, sum);
    }

    /// <summary>The median distance in milliseconds, to some percent where distances vary; null where there is none.</summary>
    public double? UsualInterval()
    {
        var half = (_bins.Values.Sum(b => b.Count) + 1) / 2;
        foreach (var (count, sum) in _bins.Values)
        {
            half -= count;
            if (half <= 0)
                return (double)sum / count;
        }
        return null;
    }

    public void Clear() => _bins.Clear();

    public void Write(ByteWriter output)
    {
        output.Varint((ulong)_bins.Count);
        foreach (var (bin, (count, sum)) in _bins)
        {
            output.Varint((ulong)bin);
            output.Varint((ulong)count);
            output.Varint((ulong)sum);
        }
    }

    /// <summary>Adds what <see cref="Write"/> wrote.</summary>
    public void Add(ref ByteReader input)
    {
        for (var left = input.Count(0, 64 * BinsOfOctave, "distances"); left > 0; left--)
        {
            var bin = input.Count(0, 64 * BinsOfOctave, "as a size of distances");
            Add(bin, input.Long(1, "distances"), input.Long(1, "milliseconds"));
        }
    }

    private void Add(int bin, long count, long sum)
    {
        var known = _bins.GetValueOrDefault(bin);
        _bins[bin] = (known.Count + count, known.Sum + sum);
    }
}
