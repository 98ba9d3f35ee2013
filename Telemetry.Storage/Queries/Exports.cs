namespace Telemetry.Storage.Queries;

/// <summary>
/// An export under way: hour by hour, each in a snapshot of its own, within an hour by series, time and writing. Where an
/// hour takes long, it is read in several snapshots, so that a reader that hardly reads does not keep the store in an old
/// state; a record that is written meanwhile is in the export or not, and every other one is in it once.
/// </summary>
internal sealed class Exports(ExportQuery query)
{
    /// <summary>Rows that are handed over at a time.</summary>
    public const int BatchRows = 1_000;

    private const long MillisecondsOfHour = 3_600_000;

    private readonly long _end = query.End is { } end ? StoreTime.Ceiling(end) : long.MaxValue;
    private long _start = query.Start is { } start ? StoreTime.Ceiling(start) : long.MinValue;
    private Place? _after;

    /// <summary>The last row that was handed over: the <paramref name="Count"/>th of its series and time.</summary>
    private readonly record struct Place(long Series, long Time, int Count);

    /// <summary>Whether all rows were handed over.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Goes on from where it is, to the end of the hour at the most.</summary>
    /// <param name="snapshot">The store.</param>
    /// <param name="take">Takes rows; false ends the reading after them.</param>
    public void Read(Snapshot snapshot, Func<IReadOnlyList<TelemetryRow>, bool> take)
    {
        var filter = SeriesFilter.Of(snapshot, query.HostId, query.GpuId);
        var (from, until) = (Math.Max(_start, filter.MinTime), filter.MaxTime == long.MaxValue ? _end : Math.Min(_end, filter.MaxTime + 1));
        if (filter.IsEmpty || NextTime(snapshot, from, until) is not { } next)
        {
            IsDone = true;
            return;
        }
        var hourEnd = next - FloorModulo(next, MillisecondsOfHour) + MillisecondsOfHour;
        // What is written later into hours that are over is not looked for again.
        _start = Math.Max(from, hourEnd - MillisecondsOfHour);
        if (_after is { } place && place.Time < _start)
            _after = null; // the rest of its hour has left meanwhile
        if (ReadHour(snapshot, filter, Math.Min(until, hourEnd), take))
            (_start, _after) = (hourEnd, null);
    }

    /// <returns>Whether the hour's end was reached.</returns>
    private bool ReadHour(Snapshot snapshot, SeriesFilter filter, long end, Func<IReadOnlyList<TelemetryRow>, bool> take)
    {
        var metrics = snapshot.MetricsAmong(query.Metrics);
        using var rows = new SortedRows(snapshot, filter, _start, end, _after?.Series ?? long.MinValue, metrics);
        var batch = new List<TelemetryRow>(BatchRows);
        var skip = _after;
        var seen = 0;
        while (rows.Read())
        {
            if (skip is { } place)
            {
                var order = (rows.Series, rows.Time).CompareTo((place.Series, place.Time));
                if (order < 0 || (order == 0 && seen++ < place.Count))
                    continue;
                skip = null;
            }
            batch.Add(rows.Row());
            _after = _after is { } last && (last.Series, last.Time) == (rows.Series, rows.Time)
                ? last with { Count = last.Count + 1 }
                : new Place(rows.Series, rows.Time, 1);
            if (batch.Count < BatchRows)
                continue;
            if (!take(batch))
                return false;
            batch = new List<TelemetryRow>(BatchRows);
        }
        if (batch.Count > 0)
            take(batch);
        return true;
    }

    /// <summary>A time that no row from <paramref name="from"/> on is before; null where there is none before <paramref name="end"/>.</summary>
    private static long? NextTime(Snapshot snapshot, long from, long end)
    {
        using var runs = snapshot.Database.Prepare("""
            SELECT first_row, first_row + rows - 1, min_time FROM block WHERE rows > 0 AND max_time >= ?1 AND min_time < ?2 ORDER BY min_time
            """);
        using var earliest = snapshot.Database.Prepare("SELECT min(time) FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3");
        runs.Bind(1, from).Bind(2, end);
        var next = end;
        while (runs.Step() && runs.Long(2) < next)
        {
            if (runs.Long(2) >= from)
            {
                next = runs.Long(2);
                continue;
            }
            earliest.Bind(1, runs.Long(0)).Bind(2, runs.Long(1)).Bind(3, from);
            if (earliest.Step() && !earliest.IsNull(0))
                next = Math.Min(next, earliest.Long(0));
            earliest.Reset();
        }
        return next < end ? next : null;
    }

    private static long FloorModulo(long value, long divisor) => ((value % divisor) + divisor) % divisor;
}
