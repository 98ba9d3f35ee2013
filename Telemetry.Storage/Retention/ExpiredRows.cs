using Telemetry.Storage.History;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Retention;

/// <summary>
/// Plain rows that leave by age: whole runs of the zone map, so that nothing has to be searched. Only rows that are folded
/// leave, so that the history has them.
/// </summary>
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
        KeepLatest(database, run);
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
            SELECT first_row, rows FROM block
            WHERE rows > 0 AND max_time < ?1 AND written_at < ?1 AND first_row + rows <= ?2 ORDER BY first_row LIMIT 1
            """);
        select.Bind(1, before).Bind(2, HistoryState.Read(database).NextRow);
        Run? run = select.Step() ? new Run(select.Long(0), select.Long(1)) : null;
        select.Reset();
        return run;
    }

    /// <summary>Series whose newest record is in the run keep its values: they have been silent since, and are asked for.</summary>
    private static void KeepLatest(Database database, Run run)
    {
        var columns = new MetricColumns(database);
        columns.Refresh();
        var ids = MetricIds.Read(database);
        // All of them have a number: the rows are folded.
        var metrics = columns.Names.Select((name, index) => (Id: ids.Of(name), Column: index + 1)).Where(m => m.Id >= 0).OrderBy(m => m.Id).ToList();
        var list = string.Concat(columns.Names.Select(name => $", s.\"{name}\""));
        using var select = database.Prepare($"""
            SELECT l.gpu{list} FROM latest AS l JOIN sample AS s ON s.row_id = l.row_id WHERE l.row_id >= ?1 AND l.row_id < ?2
            """);
        using var update = database.Prepare("UPDATE latest SET metrics = ?2 WHERE gpu = ?1");
        select.Bind(1, run.FirstRow).Bind(2, run.NextRow);
        var kept = new List<(long Gpu, byte[] Values)>();
        var output = new ByteWriter();
        while (select.Step())
        {
            output.Clear();
            LatestValues.Write(output, metrics.Where(m => !select.IsNull(m.Column)).Select(m => (m.Id, select.Double(m.Column))));
            kept.Add((select.Long(0), output.Written.ToArray()));
        }
        foreach (var (gpu, values) in kept)
            update.Bind(1, gpu).Bind(2, values).Run();
    }
}
