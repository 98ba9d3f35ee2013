using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Retention;

/// <summary>Chunks and roll-ups that leave by age, some at a time.</summary>
internal static class ExpiredHistory
{
    private const int ChunksAStep = 2_000;
    private const long Hour = Hours.MillisecondsOfHour;

    /// <summary>Removes chunks of records that are merged, so that their minutes stay. Inside a transaction.</summary>
    /// <returns>The records removed.</returns>
    public static long RemoveRows(Database database, long before)
    {
        var rows = Remove(database, ChunkLevel.Rows, before).Sum(c => (long)c.Rows);
        if (rows > 0)
        {
            var state = HistoryState.Read(database);
            (state with { Rows = state.Rows - rows }).Write(database);
        }
        return rows;
    }

    /// <summary>Removes roll-ups, and series of which nothing is left. Inside a transaction.</summary>
    /// <returns>Whether anything was removed, so that there may be more.</returns>
    public static bool RemoveRollups(Database database, long before)
    {
        var removed = Remove(database, ChunkLevel.Minutes, before).Count;
        using var hours = database.Prepare($"""
            DELETE FROM gpu_hour WHERE (hour, gpu) IN (
              SELECT h.hour, h.gpu FROM gpu_hour AS h WHERE h.hour <= ?2 AND h.last_time < ?1 AND h.written_at < ?1
              AND NOT EXISTS (SELECT 1 FROM chunk AS c WHERE c.level = 0 AND c.hour = h.hour AND c.gpu = h.gpu) LIMIT {ChunksAStep})
            """);
        hours.Bind(1, before).Bind(2, Hours.Of(before)).Run();
        removed += database.Changes;
        // A series is known as long as there is a roll-up of its newest record's hour.
        using var series = database.Prepare($"""
            DELETE FROM latest WHERE gpu IN (
              SELECT l.gpu FROM latest AS l WHERE l.time < ?1 AND l.written_at < ?1 AND l.row_id < (SELECT next_row FROM history)
              AND NOT EXISTS (SELECT 1 FROM gpu_hour AS h WHERE h.hour = (l.time - (l.time % {Hour} + {Hour}) % {Hour}) / {Hour} AND h.gpu = l.gpu)
              LIMIT {ChunksAStep})
            """);
        series.Bind(1, before).Run();
        return removed + database.Changes > 0;
    }

    private static List<ChunkEntry> Remove(Database database, ChunkLevel level, long before)
    {
        var chunks = new List<ChunkEntry>();
        using var select = database.Prepare($"""
            SELECT {ChunkEntry.Columns} FROM chunk
            WHERE level = ?1 AND hour <= ?2 AND last_time < ?3 AND written_at < ?3 AND is_part = 0 LIMIT {ChunksAStep}
            """);
        select.Bind(1, (long)level).Bind(2, Hours.Of(before)).Bind(3, before);
        while (select.Step())
            chunks.Add(ChunkEntry.Read(select));
        if (!Packs.TryRemove(database, chunks))
            throw new StoreException(StoreFault.Internal, "a chunk changed in the transaction that read it");
        return chunks;
    }
}
