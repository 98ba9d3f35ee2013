using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>Pages of rows, newest first.</summary>
internal static class RowPages
{
    /// <summary>The most rows that a page may pass over: what is sorted in memory, 16 bytes each.</summary>
    public const long SkipMax = 10_000_000;

    // Compares as (time, row): the smallest is the oldest.
    private readonly record struct Key(long Time, long Row) : IComparable<Key>
    {
        public int CompareTo(Key other) => Time != other.Time ? Time.CompareTo(other.Time) : Row.CompareTo(other.Row);
    }

    public static RowPage Read(Snapshot snapshot, RowQuery query)
    {
        var filter = SeriesFilter.Of(snapshot, query.HostId, query.GpuId);
        var start = query.Start is { } from ? StoreTime.Ceiling(from) : long.MinValue;
        var end = query.End is { } to ? StoreTime.Ceiling(to) : long.MaxValue;
        var runs = ZoneMap.Runs(snapshot, filter, start, end);
        var total = query.CountTotal ? Count(snapshot, filter, runs, start, end) : -1;
        var wanted = (int)(query.Skip + query.Limit);
        var keys = Newest(snapshot, filter, runs, start, end, query.After, wanted + 1);
        var page = keys.Skip((int)query.Skip).Take(query.Limit).ToList();
        var next = keys.Count > wanted ? new RowCursor(page[^1].Time, page[^1].Row) : (RowCursor?)null;
        return new RowPage(Fetch(snapshot, page, snapshot.MetricsAmong(query.Metrics)), total, next);
    }

    private static long Count(Snapshot snapshot, SeriesFilter filter, List<ZoneMap.Run> runs, long start, long end)
    {
        using var count = snapshot.Database.Prepare(
            $"SELECT count(*) FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3 AND time < ?4{filter.Clause}");
        var total = 0L;
        foreach (var run in runs)
        {
            if (ReferenceEquals(filter, SeriesFilter.All) && run.IsWithin(start, end))
            {
                total += run.Rows;
                continue;
            }
            count.Bind(1, run.FirstRow).Bind(2, run.LastRow).Bind(3, start).Bind(4, end);
            count.Step();
            total += count.Long(0);
            count.Reset();
        }
        return total;
    }

    /// <summary>
    /// The newest <paramref name="wanted"/> rows, newest first. Takes the runs by their newest time and stops when no run that
    /// is left can have a newer row than the oldest one kept; so it holds no more than it is asked for.
    /// </summary>
    private static List<Key> Newest(
        Snapshot snapshot, SeriesFilter filter, List<ZoneMap.Run> runs, long start, long end, RowCursor? after, int wanted)
    {
        var before = after is { } cursor ? new Key(cursor.TimeUnixMs, cursor.RowId) : new Key(long.MaxValue, long.MaxValue);
        using var select = snapshot.Database.Prepare(
            $"SELECT row_id, time FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3 AND time < ?4{filter.Clause} ORDER BY row_id DESC");
        var kept = new PriorityQueue<Key, Key>();
        foreach (var run in runs.Where(r => r.MinTime <= before.Time).OrderByDescending(r => r.MaxTime).ThenByDescending(r => r.FirstRow))
        {
            var isFull = kept.Count == wanted;
            if (isFull && run.MaxTime < kept.Peek().Time)
                break;
            var oldest = isFull ? Math.Max(start, kept.Peek().Time) : start;
            select.Bind(1, run.FirstRow).Bind(2, run.LastRow).Bind(3, oldest).Bind(4, end);
            while (select.Step())
            {
                var key = new Key(select.Long(1), select.Long(0));
                if (key.CompareTo(before) >= 0)
                    continue;
                if (kept.Count < wanted)
                    kept.Enqueue(key, key);
                else if (key.CompareTo(kept.Peek()) > 0)
                    kept.EnqueueDequeue(key, key);
            }
        }
        var newest = new List<Key>(kept.Count);
        while (kept.TryDequeue(out var key, out _))
            newest.Add(key);
        newest.Reverse();
        return newest;
    }

    private static List<TelemetryRow> Fetch(Snapshot snapshot, List<Key> keys, IReadOnlyList<string> metrics)
    {
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        using var select = snapshot.Database.Prepare($"SELECT gpu{columns} FROM sample WHERE row_id = ?1");
        var rows = new List<TelemetryRow>(keys.Count);
        foreach (var key in keys)
        {
            select.Bind(1, key.Row).Step();
            rows.Add(new TelemetryRow(StoreTime.From(key.Time), snapshot.LabelsOf(select.Long(0)), ReadMetrics(select, 1, metrics)));
            select.Reset();
        }
        return rows;
    }

    /// <summary>The metrics that a row has, from its columns from <paramref name="first"/> on.</summary>
    public static Dictionary<string, double> ReadMetrics(Statement row, int first, IReadOnlyList<string> metrics)
    {
        var values = new Dictionary<string, double>(metrics.Count, StringComparer.Ordinal);
        for (var i = 0; i < metrics.Count; i++)
        {
            if (!row.IsNull(first + i))
                values.Add(metrics[i], row.Double(first + i));
        }
        return values;
    }
}
