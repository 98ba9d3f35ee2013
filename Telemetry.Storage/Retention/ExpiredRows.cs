using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Retention;

/// <summary>Rows that leave by age: whole runs of the zone map, so that nothing has to be searched.</summary>
internal static class ExpiredRows
{
    private readonly record struct Run(long FirstRow, long Rows)
    {
        public long NextRow => FirstRow + Rows;
    }

    /// <summary>Removes the oldest run of which every row's time and writing are before <paramref name="before"/>. Inside a transaction.</summary>
    /// <returns>The rows removed; 0 where no run is that old.</returns>
    public static long RemoveRun(Database database, long before)
    {
        if (Oldest(database, before) is not { } run)
            return 0;
        PointLatestElsewhere(database, run);
        using var delete = database.Prepare("DELETE FROM sample WHERE row_id >= ?1 AND row_id < ?2");
        delete.Bind(1, run.FirstRow).Bind(2, run.NextRow).Run();
        using var forget = database.Prepare("DELETE FROM block WHERE first_row = ?1");
        forget.Bind(1, run.FirstRow).Run();
        // The last run leaves a mark of where the next row goes, so that no row's key is ever used twice.
        using var mark = database.Prepare("""
            INSERT INTO block (first_row, rows, min_time, max_time, opened_at, written_at)
            SELECT ?1, 0, 0, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM block WHERE first_row >= ?1)
            """);
        mark.Bind(1, run.NextRow).Run();
        return run.Rows;
    }

    private static Run? Oldest(Database database, long before)
    {
        using var select = database.Prepare("""
            SELECT first_row, rows FROM block WHERE rows > 0 AND max_time < ?1 AND written_at < ?1 ORDER BY first_row LIMIT 1
            """);
        select.Bind(1, before);
        Run? run = select.Step() ? new Run(select.Long(0), select.Long(1)) : null;
        select.Reset();
        return run;
    }

    /// <summary>
    /// Series whose newest record is in the run get the newest of those that stay, or leave <c>latest</c>. Normally none
    /// stays: then no run was written before the last row of these series, and nothing is read.
    /// </summary>
    private static void PointLatestElsewhere(Database database, Run run)
    {
        var (affected, lastRow) = LatestIn(database, run);
        if (affected.Count == 0)
            return;
        var newest = NewestAmong(database, run, affected, lastRow);
        using var update = database.Prepare("UPDATE latest SET time = ?2, row_id = ?3 WHERE gpu = ?1");
        using var delete = database.Prepare("DELETE FROM latest WHERE gpu = ?1");
        foreach (var series in affected)
        {
            if (newest.TryGetValue(series, out var found))
                update.Bind(1, series).Bind(2, found.Time).Bind(3, found.Row).Run();
            else
                delete.Bind(1, series).Run();
        }
    }

    private static (HashSet<long> Series, long LastRow) LatestIn(Database database, Run run)
    {
        using var select = database.Prepare("SELECT gpu, last_row FROM latest WHERE row_id >= ?1 AND row_id < ?2");
        select.Bind(1, run.FirstRow).Bind(2, run.NextRow);
        var (series, lastRow) = (new HashSet<long>(), 0L);
        while (select.Step())
        {
            series.Add(select.Long(0));
            lastRow = Math.Max(lastRow, select.Long(1));
        }
        return (series, lastRow);
    }

    private static Dictionary<long, (long Time, long Row)> NewestAmong(Database database, Run gone, HashSet<long> wanted, long lastRow)
    {
        var newest = new Dictionary<long, (long Time, long Row)>();
        using var runs = database.Prepare("""
            SELECT first_row, rows, max_time FROM block WHERE rows > 0 AND first_row <> ?1 AND first_row <= ?2 ORDER BY max_time DESC
            """);
        using var rows = database.Prepare("SELECT row_id, time, gpu FROM sample WHERE row_id >= ?1 AND row_id < ?2");
        runs.Bind(1, gone.FirstRow).Bind(2, lastRow);
        while (runs.Step())
        {
            // No run that is left has a newer row than those found.
            if (newest.Count == wanted.Count && newest.Values.Min(n => n.Time) > runs.Long(2))
                break;
            rows.Bind(1, runs.Long(0)).Bind(2, runs.Long(0) + runs.Long(1));
            while (rows.Step())
            {
                var found = (Time: rows.Long(1), Row: rows.Long(0));
                if (wanted.Contains(rows.Long(2)) && (!newest.TryGetValue(rows.Long(2), out var known) || found.CompareTo(known) > 0))
                    newest[rows.Long(2)] = found;
            }
        }
        return newest;
    }
}
