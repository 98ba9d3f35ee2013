namespace Telemetry.Storage.History;

/// <summary>The records of one chunk after the other, with some metrics. Its buffers are used again.</summary>
/// <param name="table">The history.</param>
/// <param name="metrics">The ids of the metrics to read; -1 is one that no record has.</param>
internal sealed class ChunkRows(ChunkTable table, IReadOnlyList<int> metrics)
{
    private readonly ChunkReader _reader = new();
    private readonly double[][] _values = new double[metrics.Count][];
    private readonly bool[] _isRead = new bool[metrics.Count];
    private long[] _times = [];

    /// <summary>The records' times, ascending.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, _reader.Rows);

    /// <summary>The rows [first, end) of the open chunk with times in [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public Range Within(long start, long end) => FirstFrom(start)..Math.Max(FirstFrom(start), FirstFrom(end));

    /// <summary>Opens a chunk.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public void Open(in ChunkEntry entry)
    {
        _reader.Open(table.Bytes(entry));
        if (_times.Length < _reader.Rows)
        {
            _times = new long[_reader.Rows];
            Array.Clear(_values);
        }
        _reader.ReadTimes(_times);
        Array.Clear(_isRead);
    }

    /// <summary>The values of a metric by its index among those wanted; NaN where a record does not have it.</summary>
    public ReadOnlySpan<double> Values(int metric)
    {
        var values = _values[metric] ??= new double[_times.Length];
        if (!_isRead[metric])
            _reader.Read(metrics[metric], values);
        _isRead[metric] = true;
        return values.AsSpan(0, _reader.Rows);
    }

    private int FirstFrom(long time)
    {
        var (low, high) = (0, _reader.Rows);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_times[middle] < time)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
