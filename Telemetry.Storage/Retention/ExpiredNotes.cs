using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Retention;

/// <summary>Dead letters and gaps that leave by age, and the payloads of all but the newest dead letters.</summary>
internal static class ExpiredNotes
{
    private const int PayloadsKept = 1_000; // 64 KiB each, at most
    private const int RowsAStep = 1_000;

    /// <returns>Whether anything was removed, so that there may be more.</returns>
    public static bool Remove(Database database, long before)
    {
        using var letters = database.Prepare($"DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE time < ?1 LIMIT {RowsAStep})");
        letters.Bind(1, before).Run();
        var removed = database.Changes;
        using var gaps = database.Prepare($"DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE detected_at < ?1 LIMIT {RowsAStep})");
        gaps.Bind(1, before).Run();
        removed += database.Changes;
        database.Execute($"""
            UPDATE dead_letter SET payload = NULL WHERE id IN (
              SELECT id FROM dead_letter WHERE payload IS NOT NULL ORDER BY id DESC LIMIT {RowsAStep} OFFSET {PayloadsKept})
            """);
        return removed + database.Changes > 0;
    }
}
