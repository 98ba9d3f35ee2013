using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>Goes through the rows of a range of time in the order of their writing, reading only the runs that may have some.</summary>
internal sealed class SampleScan : IDisposable
{
    private const int MetricsFrom = 3;

    private readonly Statement _select;
    private readonly List<ZoneMap.Run> _runs;
    private int _next;
    private bool _isOpen;

    /// <param name="snapshot">The store.</param>
    /// <param name="filter">Which series.</param>
    /// <param name="start">From this time on.</param>
    /// <param name="end">Before this time.</param>
    /// <param name="metrics">The metrics to read; from <see cref="Snapshot.MetricsAmong"/>.</param>
    public SampleScan(Snapshot snapshot, SeriesFilter filter, long start, long end, IReadOnlyList<string> metrics)
    {
        _runs = ZoneMap.Runs(snapshot, filter, start, end);
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        _select = snapshot.Database.Prepare(
            $"SELECT row_id, time, gpu{columns} FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3 AND time < ?4{filter.Clause}");
        _select.Bind(3, start).Bind(4, end);
    }

    public long RowId => _select.Long(0);

    public long Time => _select.Long(1);

    public long Series => _select.Long(2);

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Read()
    {
        while (true)
        {
            if (_isOpen && _select.Step())
                return true;
            _isOpen = _next < _runs.Count;
            if (!_isOpen)
                return false;
            var first = _runs[_next].FirstRow;
            var last = _runs[_next++].LastRow;
            while (_next < _runs.Count && _runs[_next].FirstRow == last + 1)
                last = _runs[_next++].LastRow;
            _select.Bind(1, first).Bind(2, last);
        }
    }

    /// <summary>The row's value of a metric, by its index; false where it has none.</summary>
    public bool TryGet(int metric, out double value)
    {
        // NULL reads as 0, so that only zeros need a second look.
        value = _select.Double(MetricsFrom + metric);
        return value != 0 || !_select.IsNull(MetricsFrom + metric);
    }

    public void Dispose() => _select.Dispose();
}
