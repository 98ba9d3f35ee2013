using Telemetry.Storage.Retention;

namespace Telemetry.Storage;

/// <summary>What is too old: each counts from the later of a record's own time and the time it was written.</summary>
/// <param name="Raw">Plain rows leave that are older and in the history.</param>
/// <param name="History">Records leave that are older.</param>
/// <param name="Rollup">Roll-ups, gaps and dead letters leave that are older.</param>
public readonly record struct RetentionCutoffs(DateTimeOffset Raw, DateTimeOffset History, DateTimeOffset Rollup);

/// <summary>What a step of the retention did.</summary>
/// <param name="Rows">Plain rows removed; the history still has them.</param>
/// <param name="Records">Records removed from the history.</param>
/// <param name="HasMore">Whether there may be more to remove.</param>
public readonly record struct RetentionStep(long Rows, long Records, bool HasMore);

public sealed partial class TelemetryStore
{
    /// <summary>
    /// Removes some of what is too old, and gives some free pages back to the disk. Each call is one short transaction, so
    /// that writers wait little; call it until there is no more.
    /// </summary>
    /// <exception cref="StoreException">Nothing was removed.</exception>
    public RetentionStep Retain(RetentionCutoffs before) => InTransaction(_ =>
    {
        var rows = ExpiredRows.RemoveRun(_database, before.Raw.ToUnixTimeMilliseconds());
        var records = ExpiredHistory.RemoveRows(_database, before.History.ToUnixTimeMilliseconds());
        var rollups = ExpiredHistory.RemoveRollups(_database, before.Rollup.ToUnixTimeMilliseconds());
        var notes = ExpiredNotes.Remove(_database, before.Rollup.ToUnixTimeMilliseconds());
        // Free pages are used again by the next rows; moving pages is only worth it when many stay free.
        var hasMore = rows > 0 || records > 0 || rollups || notes;
        return new RetentionStep(rows, records, hasMore || FreePages.GiveBackSome(_database));
    });

    /// <summary>
    /// Copies the whole write-ahead log into the file and empties it. Commits do so by themselves unless readers follow one
    /// another without a pause; this makes a pause, as new readers then begin in the file.
    /// </summary>
    /// <param name="patience">How long to wait for the readers that are there; writers wait as long.</param>
    /// <returns>False when a reader stayed longer; nothing has changed then.</returns>
    /// <exception cref="StoreException">The file cannot be written.</exception>
    public bool EmptyLog(TimeSpan patience)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _database.SetBusyTimeout(patience);
            try
            {
                return _database.Scalar("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
            }
            finally
            {
                _database.SetBusyTimeout(_busyTimeout);
            }
        }
    }
}
