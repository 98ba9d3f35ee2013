namespace Telemetry.Storage.Queries;

/// <summary>Which runs of plain rows a query has to read; those that are folded it reads from the history.</summary>
internal static class ZoneMap
{
    /// <summary>A run of rows [<paramref name="FirstRow"/>, <paramref name="LastRow"/>] and the times of its rows.</summary>
    public readonly record struct Run(long FirstRow, long LastRow, long MinTime, long MaxTime)
    {
        public long Rows => LastRow - FirstRow + 1;

        /// <summary>Whether every row lies in [<paramref name="start"/>, <paramref name="end"/>).</summary>
        public bool IsWithin(long start, long end) => MinTime >= start && MaxTime < end;
    }

    /// <summary>The runs that may have rows of the filter with times in [<paramref name="start"/>, <paramref name="end"/>), in the order of writing.</summary>
    public static List<Run> Runs(Snapshot snapshot, SeriesFilter filter, long start, long end)
    {
        var runs = new List<Run>();
        if (filter.IsEmpty)
            return runs;
        using var select = snapshot.Database.Prepare("""
            SELECT max(first_row, ?5), first_row + rows - 1, min_time, max_time FROM block
            WHERE rows > 0 AND max_time >= ?1 AND min_time < ?2 AND first_row <= ?3 AND min_time <= ?4 AND first_row + rows > ?5 ORDER BY first_row
            """);
        select.Bind(1, Math.Max(start, filter.MinTime)).Bind(2, end).Bind(3, filter.LastRow).Bind(4, filter.MaxTime).Bind(5, snapshot.History.NextRow);
        while (select.Step())
            runs.Add(new Run(select.Long(0), select.Long(1), select.Long(2), select.Long(3)));
        return runs;
    }
}
