using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>The row of the table <c>history</c>.</summary>
/// <param name="NextRow">Samples before it are folded.</param>
/// <param name="FoldedAt">When that was done last, milliseconds.</param>
/// <param name="Rows">Records in chunks.</param>
/// <param name="NextChunk">The id of the next chunk.</param>
/// <param name="NextPack">The id of the next pack.</param>
internal readonly record struct HistoryState(long NextRow, long FoldedAt, long Rows, long NextChunk, long NextPack)
{
    public static HistoryState Read(Database database)
    {
        using var select = database.Prepare("SELECT next_row, folded_at, rows, next_chunk, next_pack FROM history");
        return select.Step()
            ? new HistoryState(select.Long(0), select.Long(1), select.Long(2), select.Long(3), select.Long(4))
            : throw new StoreException(StoreFault.Damaged, $"database '{database.Path}': the table history is empty");
    }

    public void Write(Database database)
    {
        using var update = database.Prepare("UPDATE history SET next_row = ?1, folded_at = ?2, rows = ?3, next_chunk = ?4, next_pack = ?5");
        update.Bind(1, NextRow).Bind(2, FoldedAt).Bind(3, Rows).Bind(4, NextChunk).Bind(5, NextPack).Run();
    }
}
