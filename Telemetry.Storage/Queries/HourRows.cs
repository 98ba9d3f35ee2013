using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>Goes through the rows of an hour by series, time and writing: those that are folded, and those that are plain.</summary>
internal sealed class HourRows : IDisposable
{
    private const int MetricsFrom = 2;

    private readonly Snapshot _snapshot;
    private readonly IReadOnlyList<string> _metrics;
    private readonly FoldedHour _folded;
    private readonly Statement _plain;
    private bool _hasFolded;
    private bool _hasPlain;
    private bool _isFolded;

    /// <param name="snapshot">The store.</param>
    /// <param name="filter">Which series.</param>
    /// <param name="hour">The hour.</param>
    /// <param name="start">From this time on, which lies in the hour.</param>
    /// <param name="end">Before this time.</param>
    /// <param name="firstSeries">From this series on.</param>
    /// <param name="metrics">The metrics to read; from <see cref="Snapshot.MetricsAmong"/>.</param>
    public HourRows(Snapshot snapshot, SeriesFilter filter, long hour, long start, long end, long firstSeries, IReadOnlyList<string> metrics)
    {
        (_snapshot, _metrics) = (snapshot, metrics);
        _folded = new FoldedHour(snapshot, filter, hour, start, end, firstSeries, metrics);
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        // CROSS: the runs first, then the rows of each by their keys. SQLite sorts them, on disk where they are many.
        _plain = snapshot.Database.Prepare($"""
            SELECT time, gpu{columns} FROM block CROSS JOIN sample ON row_id >= max(first_row, ?4) AND row_id < first_row + rows
            WHERE rows > 0 AND max_time >= ?1 AND min_time < ?2 AND first_row + rows > ?4 AND time >= ?1 AND time < ?2 AND gpu >= ?3{filter.Clause}
            ORDER BY gpu, time, row_id
            """);
        _plain.Bind(1, start).Bind(2, end).Bind(3, firstSeries).Bind(4, snapshot.History.NextRow);
        _hasFolded = _folded.Read();
        _hasPlain = _plain.Step();
    }

    public long Series { get; private set; }

    public long Time { get; private set; }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Read()
    {
        // Keys begin at 1: 0 is before the first row, of which both sides already stand at theirs.
        if (Series > 0 && _isFolded)
            _hasFolded = _folded.Read();
        else if (Series > 0)
            _hasPlain = _plain.Step();
        // Of equal times the folded ones were written before.
        _isFolded = _hasFolded && (!_hasPlain || (_folded.Series, _folded.Time).CompareTo((_plain.Long(1), _plain.Long(0))) <= 0);
        if (!_isFolded && !_hasPlain)
            return false;
        (Series, Time) = _isFolded ? (_folded.Series, _folded.Time) : (_plain.Long(1), _plain.Long(0));
        return true;
    }

    /// <summary>The row.</summary>
    public TelemetryRow Row() => new(StoreTime.From(Time), _snapshot.LabelsOf(Series),
        _isFolded ? _folded.ReadMetrics() : RowPages.ReadMetrics(_plain, MetricsFrom, _metrics));

    public void Dispose()
    {
        _folded.Dispose();
        _plain.Dispose();
    }
}
