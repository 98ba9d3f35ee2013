using SQLitePCL;

namespace Telemetry.Storage.Sqlite;

/// <summary>A compiled statement. Parameters count from 1, columns from 0.</summary>
internal sealed class Statement : IDisposable
{
    private readonly Database _database;
    private readonly sqlite3_stmt _statement;

    internal Statement(Database database, sqlite3_stmt statement)
    {
        _database = database;
        _statement = statement;
        Handle = statement.DangerousGetHandle();
    }

    /// <summary>For <see cref="Native"/>; valid until the statement is disposed.</summary>
    internal nint Handle { get; }

    public Statement Bind(int index, long value)
    {
        _database.Check(Native.BindLong(Handle, index, value));
        return this;
    }

    public Statement Bind(int index, string value)
    {
        _database.Check(raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        _database.Check(raw.sqlite3_bind_blob(_statement, index, value));
        return this;
    }

    public Statement BindNull(int index)
    {
        _database.Check(Native.BindNull(Handle, index));
        return this;
    }

    /// <summary>Goes to the next row; false at the end, where the statement resets itself so that it can be bound again.</summary>
    public bool Step()
    {
        var result = Native.Step(Handle);
        if (result == raw.SQLITE_ROW)
            return true;
        _ = Native.Reset(Handle); // it returns the error of the step again
        _database.Check(result);
        return false;
    }

    /// <summary>Runs a statement without results.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Makes the statement ready to be bound and run again before its end was reached.</summary>
    public void Reset() => _ = Native.Reset(Handle); // an error was reported by the step already

    public long Long(int column) => Native.ColumnLong(Handle, column);

    public int Int(int column) => checked((int)Native.ColumnLong(Handle, column));

    public double Double(int column) => Native.ColumnDouble(Handle, column);

    public bool IsNull(int column) => Native.ColumnType(Handle, column) == raw.SQLITE_NULL;

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    /// <summary>A BLOB, until the next step; empty for NULL.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();
}
