using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>Goes through the rows of a range of time by series, time and writing. SQLite sorts them, on disk where they are many.</summary>
internal sealed class SortedRows : IDisposable
{
    private const int MetricsFrom = 2;

    private readonly Snapshot _snapshot;
    private readonly IReadOnlyList<string> _metrics;
    private readonly Statement _select;

    /// <param name="snapshot">The store.</param>
    /// <param name="filter">Which series.</param>
    /// <param name="start">From this time on.</param>
    /// <param name="end">Before this time.</param>
    /// <param name="firstSeries">From this series on.</param>
    /// <param name="metrics">The metrics to read; from <see cref="Snapshot.MetricsAmong"/>.</param>
    public SortedRows(Snapshot snapshot, SeriesFilter filter, long start, long end, long firstSeries, IReadOnlyList<string> metrics)
    {
        (_snapshot, _metrics) = (snapshot, metrics);
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        // CROSS: the runs first, then the rows of each by their keys.
        _select = snapshot.Database.Prepare($"""
            SELECT time, gpu{columns} FROM block CROSS JOIN sample ON row_id >= first_row AND row_id < first_row + rows
            WHERE rows > 0 AND max_time >= ?1 AND min_time < ?2 AND time >= ?1 AND time < ?2 AND gpu >= ?3{filter.Clause}
            ORDER BY gpu, time, row_id
            """);
        _select.Bind(1, start).Bind(2, end).Bind(3, firstSeries);
    }

    public long Time => _select.Long(0);

    public long Series => _select.Long(1);

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Read() => _select.Step();

    /// <summary>The row.</summary>
    public TelemetryRow Row() =>
        new(StoreTime.From(Time), _snapshot.LabelsOf(Series), RowPages.ReadMetrics(_select, MetricsFrom, _metrics));

    public void Dispose() => _select.Dispose();
}
