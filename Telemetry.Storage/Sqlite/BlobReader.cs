using SQLitePCL;

namespace Telemetry.Storage.Sqlite;

/// <summary>
/// Reads parts of BLOBs of one table's column without the rest of them. It keeps its connection's transaction open, so it
/// is disposed of before the transaction ends.
/// </summary>
internal sealed class BlobReader(Database database, string table, string column) : IDisposable
{
    private sqlite3_blob? _blob;
    private long _row;

    /// <summary>Reads the bytes from <paramref name="offset"/> on that fill <paramref name="bytes"/>.</summary>
    /// <exception cref="StoreException">There is no such row, or it is shorter.</exception>
    public void Read(long row, int offset, Span<byte> bytes)
    {
        var result = _blob is null ? raw.sqlite3_blob_open(database.Handle, "main", table, column, row, 0, out _blob)
            : row != _row ? raw.sqlite3_blob_reopen(_blob, row)
            : raw.SQLITE_OK;
        if (result == raw.SQLITE_ERROR) // what SQLite says of a row that is missing
            throw new StoreException(StoreFault.Damaged, $"database '{database.Path}': row {row} of {table} is missing");
        database.Check(result);
        _row = row;
        database.Check(raw.sqlite3_blob_read(_blob, bytes, offset));
    }

    public void Dispose() => _blob?.Dispose();
}
