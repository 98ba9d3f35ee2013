using SQLitePCL;

namespace Telemetry.Storage.Sqlite;

/// <summary>SQLite's result codes as faults, each with a sentence that says what to do.</summary>
internal static class SqliteErrors
{
    /// <param name="code">The (extended) result code.</param>
    /// <param name="path">The file.</param>
    /// <param name="text">SQLite's own words.</param>
    public static StoreException Exception(int code, string path, string text)
    {
        var (fault, advice) = (code & 0xff) switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => (StoreFault.Busy, "another process holds its lock"),
            raw.SQLITE_FULL => (StoreFault.Full, "there is no room: free disk space or shorten the retention"),
            raw.SQLITE_IOERR => (StoreFault.Unavailable, "reading or writing failed: check the disk"),
            raw.SQLITE_CANTOPEN => (StoreFault.Unavailable, "it cannot be opened: check that the folder exists and that this user may write there"),
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => (StoreFault.Unavailable, "this user may not write it"),
            raw.SQLITE_NOTADB => (StoreFault.Damaged, "it is not an SQLite database: choose another path, or restore it from a backup"),
            raw.SQLITE_CORRUPT => (StoreFault.Damaged, "it is damaged: restore it from a backup"),
            _ => (StoreFault.Internal, "SQLite refused a statement"),
        };
        return new StoreException(fault, $"database '{path}': {advice} (SQLite {code}: {text})");
    }
}
