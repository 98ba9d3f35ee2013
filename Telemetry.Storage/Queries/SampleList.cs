namespace Telemetry.Storage.Queries;

/// <summary>The samples of one series and metric, by time. Its buffers are used again by the next reading.</summary>
public sealed class SampleList
{
    private long[] _times = new long[1024];
    private double[] _values = new double[1024];
    private bool _isOrdered = true;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Their times in milliseconds, ascending, each once.</summary>
    public ReadOnlySpan<long> TimesUnixMs => _times.AsSpan(0, Count);

    /// <summary>Their values.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count);

    internal void Clear() => (Count, _isOrdered) = (0, true);

    /// <summary>Adds a sample; of several of one time the last one counts.</summary>
    internal void Add(long time, double value)
    {
        if (Count > 0 && time <= _times[Count - 1])
        {
            if (time == _times[Count - 1])
            {
                _values[Count - 1] = value;
                return;
            }
            _isOrdered = false;
        }
        if (Count == _times.Length)
        {
            Array.Resize(ref _times, Count * 2);
            Array.Resize(ref _values, Count * 2);
        }
        _times[Count] = time;
        _values[Count++] = value;
    }

    /// <summary>Ends the adding.</summary>
    internal void Order()
    {
        if (_isOrdered)
            return;
        var (times, values) = (_times[..Count], _values[..Count]);
        // Stable, so that of equal times the last one stays the last.
        var order = Enumerable.Range(0, Count).OrderBy(i => times[i]).ToArray();
        Clear();
        foreach (var i in order)
            Add(times[i], values[i]);
    }
}
