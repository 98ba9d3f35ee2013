using Telemetry.Storage.Retention;

namespace Telemetry.Storage;

/// <summary>What a step of the retention did.</summary>
/// <param name="Rows">Rows removed.</param>
/// <param name="HasMore">Whether there may be more to remove.</param>
public readonly record struct RetentionStep(long Rows, bool HasMore);

public sealed partial class TelemetryStore
{
    /// <summary>
    /// Removes some of what is too old: one run of rows, some dead letters and gaps, and gives some free pages back to the
    /// disk. Each call is one short transaction, so that writers wait little; call it until there is no more.
    /// </summary>
    /// <param name="rowsBefore">Rows leave whose own time and whose writing are both before this.</param>
    /// <param name="gapsBefore">Gaps and dead letters leave that were found before this.</param>
    /// <exception cref="StoreException">Nothing was removed.</exception>
    public RetentionStep Retain(DateTimeOffset rowsBefore, DateTimeOffset gapsBefore) => InTransaction(_ =>
    {
        var rows = ExpiredRows.RemoveRun(_database, rowsBefore.ToUnixTimeMilliseconds());
        var notes = ExpiredNotes.Remove(_database, gapsBefore.ToUnixTimeMilliseconds());
        // Free pages are used again by the next rows; moving pages is only worth it when many stay free.
        var shrunk = rows == 0 && FreePages.GiveBackSome(_database);
        return new RetentionStep(rows, rows > 0 || notes || shrunk);
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
