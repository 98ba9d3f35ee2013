using Telemetry.Storage.History;

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

    private readonly long _end = query.End is { } end ? Math.Min(StoreTime.Ceiling(end), RowBlock.TimeMax + 1) : RowBlock.TimeMax + 1;
    private long _start = query.Start is { } start ? StoreTime.Ceiling(start) : RowBlock.TimeMin;
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
        var from = Math.Max(_start, filter.MinTime);
        var until = Math.Min(_end, filter.MaxTime == long.MaxValue ? long.MaxValue : filter.MaxTime + 1);
        if (filter.IsEmpty || NextTime(snapshot, filter, from, until) is not { } next)
        {
            IsDone = true;
            return;
        }
        var hour = Hours.Of(next);
        // What is written later into hours that are over is not looked for again.
        _start = Math.Max(from, Hours.Start(hour));
        if (_after is { } place && place.Time < _start)
            _after = null; // the rest of its hour has left meanwhile
        if (ReadHour(snapshot, filter, hour, Math.Min(until, Hours.End(hour)), take))
            (_start, _after) = (Hours.End(hour), null);
    }

    /// <returns>Whether the hour's end was reached.</returns>
    private bool ReadHour(Snapshot snapshot, SeriesFilter filter, long hour, long end, Func<IReadOnlyList<TelemetryRow>, bool> take)
    {
        var metrics = snapshot.MetricsAmong(query.Metrics);
        using var rows = new HourRows(snapshot, filter, hour, _start, end, _after?.Series ?? 0, metrics);
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
    private static long? NextTime(Snapshot snapshot, SeriesFilter filter, long from, long end)
    {
        if (from >= end)
            return null;
        var next = end;
        foreach (var hour in snapshot.Chunks.Hours(ChunkLevel.Rows, Hours.Of(from), Hours.Of(end - 1)).Take(1))
            next = Math.Max(from, Hours.Start(hour));
        using var earliest = snapshot.Database.Prepare("SELECT min(time) FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3");
        foreach (var run in ZoneMap.Runs(snapshot, filter, from, end).OrderBy(r => r.MinTime))
        {
            if (run.MinTime >= next)
                break;
            if (run.MinTime >= from)
            {
                next = run.MinTime;
                break;
            }
            earliest.Bind(1, run.FirstRow).Bind(2, run.LastRow).Bind(3, from);
            if (earliest.Step() && !earliest.IsNull(0))
                next = Math.Min(next, earliest.Long(0));
            earliest.Reset();
        }
        return next < end ? next : null;
    }
}
