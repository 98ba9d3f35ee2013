using Telemetry.Storage.Queries;

namespace Telemetry.Storage.History;

/// <summary>Goes through the folded rows of an hour by series, time and writing; one series is in memory at a time.</summary>
internal sealed class FoldedHour : IDisposable
{
    private readonly Snapshot _snapshot;
    private readonly IReadOnlyList<string> _metrics;
    private readonly HourTable _series;
    private readonly ChunkRows _chunk;
    private readonly long _start;
    private readonly long _end;
    private readonly long _firstSeries;
    private readonly List<long> _times = [];
    private readonly List<double>[] _values;
    private int[] _order = [];
    private int _next;

    /// <param name="snapshot">The store.</param>
    /// <param name="filter">Which series.</param>
    /// <param name="hour">The hour.</param>
    /// <param name="start">From this time on.</param>
    /// <param name="end">Before this time.</param>
    /// <param name="firstSeries">From this series on.</param>
    /// <param name="metrics">The metrics to read.</param>
    public FoldedHour(Snapshot snapshot, SeriesFilter filter, long hour, long start, long end, long firstSeries, IReadOnlyList<string> metrics)
    {
        (_snapshot, _start, _end, _firstSeries, _metrics) = (snapshot, start, end, firstSeries, metrics);
        _chunk = new ChunkRows(snapshot.Chunks, [.. metrics.Select(snapshot.MetricIds.Of)]);
        _values = [.. metrics.Select(_ => new List<double>())];
        // Every series that has chunks has a roll-up.
        _series = new HourTable(snapshot.Database, filter);
        _series.Begin(hour);
    }

    public long Series => _series.Gpu;

    public long Time => _times[_order[_next - 1]];

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Read()
    {
        while (_next == _times.Count)
        {
            if (!_series.Read())
                return false;
            if (Series >= _firstSeries)
                ReadSeries();
        }
        _next++;
        return true;
    }

    /// <summary>The metrics that the row has.</summary>
    public Dictionary<string, double> ReadMetrics()
    {
        var row = _order[_next - 1];
        var values = new Dictionary<string, double>(_metrics.Count, StringComparer.Ordinal);
        for (var i = 0; i < _metrics.Count; i++)
        {
            if (!double.IsNaN(_values[i][row]))
                values.Add(_metrics[i], _values[i][row]);
        }
        return values;
    }

    private void ReadSeries()
    {
        _next = 0;
        _times.Clear();
        foreach (var values in _values)
            values.Clear();
        foreach (var entry in _snapshot.Chunks.Of(ChunkLevel.Rows, _series.Hour, Series))
        {
            if (!entry.Overlaps(_start, _end))
                continue;
            _chunk.Open(entry);
            var within = _chunk.Within(_start, _end);
            _times.AddRange(_chunk.Times[within]);
            for (var i = 0; i < _values.Length; i++)
                _values[i].AddRange(_chunk.Values(i)[within]);
        }
        // Chunks follow one another in the order of writing: rows of equal time keep theirs.
        _order = [.. Enumerable.Range(0, _times.Count).OrderBy(row => _times[row])];
    }

    public void Dispose() => _series.Dispose();
}
