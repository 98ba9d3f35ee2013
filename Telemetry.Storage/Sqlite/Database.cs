using SQLitePCL;

namespace Telemetry.Storage.Sqlite;

/// <summary>A connection to an SQLite file. One thread at a time. Every failure is a <see cref="StoreException"/>.</summary>
internal sealed class Database : IDisposable
{
    private const int FileControlHasMoved = 20; // SQLITE_FCNTL_HAS_MOVED

    private readonly sqlite3 _handle;
    private delegate_progress? _progress; // kept alive while SQLite may call it

    static Database() => Batteries_V2.Init();

    private Database(sqlite3 handle, string path)
    {
        _handle = handle;
        Path = path;
    }

    /// <summary>For <see cref="BlobReader"/>.</summary>
    internal sqlite3 Handle => _handle;

    /// <summary>The version of the SQLite library, as <c>3.51.3</c>.</summary>
    public static Version LibraryVersion => Version.Parse(raw.sqlite3_libversion().utf8_to_string());

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Rows that the statement run last has inserted, changed or deleted.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>The key of the row inserted last.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(_handle);

    /// <summary>Whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Whether the file at the path is no longer the one that was opened.</summary>
    public bool HasMoved
    {
        get
        {
            var moved = 0;
            var result = Native.FileControl(_handle.DangerousGetHandle(), "main", FileControlHasMoved, ref moved);
            return result == raw.SQLITE_OK && moved != 0;
        }
    }

    /// <summary>Opens a file; makes it if it is not there and <paramref name="readOnly"/> is false.</summary>
    public static Database Open(string path, bool readOnly, TimeSpan busyTimeout)
    {
        // Connections are never shared by threads at one time: no mutex.
        var flags = (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE) | raw.SQLITE_OPEN_NOMUTEX;
        var result = raw.sqlite3_open_v2(path, out var handle, flags, null);
        if (result != raw.SQLITE_OK)
        {
            var text = raw.sqlite3_errmsg(handle).utf8_to_string();
            handle.Dispose();
            throw SqliteErrors.Exception(result, path, text);
        }
        var database = new Database(handle, path);
        raw.sqlite3_extended_result_codes(handle, 1);
        database.SetBusyTimeout(busyTimeout);
        return database;
    }

    /// <summary>How long a statement waits for another connection's lock.</summary>
    public void SetBusyTimeout(TimeSpan timeout) => Check(raw.sqlite3_busy_timeout(_handle, (int)timeout.TotalMilliseconds));

    /// <summary>Runs statements without parameters or results.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>Compiles one statement.</summary>
    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var statement));
        return new Statement(this, statement);
    }

    /// <summary>The first column of a query's first row; null for no row or NULL.</summary>
    public long? Scalar(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() && !statement.IsNull(0) ? statement.Long(0) : null;
    }

    /// <summary>Makes queries stop with <see cref="OperationCanceledException"/> once the token is cancelled; <c>default</c> ends that.</summary>
    /// <remarks>A progress handler, not <c>sqlite3_interrupt</c>: an interrupt that comes between two statements is lost.</remarks>
    public void StopOn(CancellationToken cancellationToken)
    {
        Cancellation = cancellationToken;
        _progress = cancellationToken.CanBeCanceled ? _ => cancellationToken.IsCancellationRequested ? 1 : 0 : null;
        const int instructionsBetweenCalls = 20_000; // well under a millisecond
        raw.sqlite3_progress_handler(_handle, _progress is null ? 0 : instructionsBetweenCalls, _progress, null);
    }

    internal CancellationToken Cancellation { get; private set; }

    /// <summary>Copies all pages into an empty file, some at a time. The source has a read transaction open, so that it stays as it is.</summary>
    /// <exception cref="OperationCanceledException">The copy was cancelled.</exception>
    public void CopyTo(Database target, int pagesAStep, CancellationToken cancellationToken)
    {
        using var backup = raw.sqlite3_backup_init(target._handle, "main", _handle, "main");
        if (backup.IsInvalid)
            target.Check(raw.sqlite3_extended_errcode(target._handle));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var result = raw.sqlite3_backup_step(backup, pagesAStep);
            target.Check(result);
            if (result == raw.SQLITE_DONE)
                return;
        }
    }

    /// <summary>Ends an open transaction without its changes; nothing where SQLite has already done so.</summary>
    public void Rollback()
    {
        if (InTransaction)
            Execute("ROLLBACK");
    }

    internal void Check(int result)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
            return;
        if ((result & 0xff) == raw.SQLITE_INTERRUPT)
            throw new OperationCanceledException(Cancellation);
        throw SqliteErrors.Exception(result, Path, raw.sqlite3_errmsg(_handle).utf8_to_string());
    }

    public void Dispose() => _handle.Dispose();
}
