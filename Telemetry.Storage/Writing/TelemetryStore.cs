using Telemetry.Storage.Files;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;
using Telemetry.Storage.Writing;

namespace Telemetry.Storage;

/// <summary>How a store is opened.</summary>
public sealed record TelemetryStoreOptions
{
    /// <summary>How long a call waits for another process's transaction before <see cref="StoreFault.Busy"/>.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Pages of the write-ahead log after which a commit copies them into the file. More makes fewer, longer copies and a
    /// larger log; readers that stay long can only delay it.
    /// </summary>
    public int CheckpointPages { get; init; } = 4_000;

    /// <summary>The clock; the system's if null.</summary>
    public TimeProvider? Time { get; init; }

    /// <summary>The most rows in a run of the zone map; for tests.</summary>
    internal int BlockRowsMax { get; init; } = 65_536;

    /// <summary>A run of fewer rows is extended by the next transaction; for tests.</summary>
    internal int BlockSmallRows { get; init; } = 8_192;

    /// <summary>The most pages that the file may have, 0 for any number: a full disk, for tests.</summary>
    internal int PagesMax { get; init; }

    /// <summary>Tells the type of a network file system of a path, null for a local one; for tests.</summary>
    internal Func<string, string?> NetworkTypeOf { get; init; } = NetworkMounts.NetworkTypeOf;
}

/// <summary>
/// Writes the store: one SQLite file that several processes on one host may share. Every call is one transaction, synced to
/// disk before it returns; after an exception nothing of it was written. Thread-safe; calls run one after another.
/// </summary>
public sealed partial class TelemetryStore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _busyTimeout;
    private readonly Database _database;
    private readonly MetricColumns _columns;
    private readonly SeriesTable _series;
    private readonly LatestTable _latest;
    private readonly BlockTable _blocks;
    private readonly CheckpointTable _checkpoints;
    private readonly SampleInserter _inserter;
    private bool _disposed;

    private TelemetryStore(Database database, TelemetryStoreOptions options)
    {
        _database = database;
        _busyTimeout = options.BusyTimeout;
        _time = options.Time ?? TimeProvider.System;
        _columns = new MetricColumns(database);
        _series = new SeriesTable(database);
        _latest = new LatestTable(database);
        _blocks = new BlockTable(database, options.BlockRowsMax, options.BlockSmallRows);
        _checkpoints = new CheckpointTable(database);
        _inserter = new SampleInserter(database, _columns, _series, _latest);
    }

    /// <summary>Opens a store; makes the file, its folder and its tables where they are missing.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says why and what to do.</exception>
    public static TelemetryStore Open(string databasePath, TelemetryStoreOptions? options = null)
    {
        options ??= new TelemetryStoreOptions();
        StoreSchema.CheckLibrary(Database.LibraryVersion);
        var path = DatabaseFile.Prepare(databasePath, options.NetworkTypeOf);
        var database = Database.Open(path, readOnly: false, options.BusyTimeout);
        try
        {
            CreateTables(database, options.BusyTimeout);
            // FULL: the log is synced at every commit, so a record that was committed to the queue survives a power cut.
            database.Execute($"""
                PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;
                PRAGMA wal_autocheckpoint = {options.CheckpointPages}; PRAGMA journal_size_limit = 67108864;
                """);
            if (options.PagesMax > 0)
                database.Execute($"PRAGMA max_page_count = {options.PagesMax}");
            return new TelemetryStore(database, options);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path => _database.Path;

    /// <summary>The size in bytes of the file and its write-ahead log.</summary>
    public long DatabaseBytes => LengthOf(Path) + WalBytes;

    /// <summary>The size in bytes of the write-ahead log alone. It grows while a reader stays in an old state.</summary>
    public long WalBytes => LengthOf(Path + "-wal");

    /// <summary>Takes a partition: whoever had it before can no longer write it.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="owner">For people: host and process.</param>
    public PartitionLease AcquirePartition(string topic, int partition, string owner) =>
        InTransaction(now => _checkpoints.Acquire(topic, partition, owner, now));

    /// <summary>
    /// Writes parts of several partitions in one transaction. A part whose partition stands elsewhere or has another owner
    /// contributes nothing and is reported as fenced; the others take effect together.
    /// </summary>
    /// <exception cref="StoreException">Nothing was written.</exception>
    public WriteResult Write(IReadOnlyList<PartitionWrite> parts)
    {
        foreach (var part in parts)
            part.Validate();
        return InTransaction(now =>
        {
            var fenced = new List<int>();
            _columns.Refresh();
            _inserter.Begin();
            _checkpoints.Begin();
            var firstRow = _blocks.Begin(now);
            var row = firstRow;
            for (var i = 0; i < parts.Count; i++)
            {
                var part = parts[i];
                if (!_checkpoints.TryAdvance(part, now))
                {
                    fenced.Add(i);
                    continue;
                }
                foreach (var block in part.Rows)
                    row = block.Count == 0 ? row : _inserter.Insert(block, row, _blocks, now);
                foreach (var letter in part.DeadLetters)
                    _checkpoints.Add(part, letter, now);
                foreach (var gap in part.Gaps)
                    _checkpoints.Add(part, gap, now);
            }
            _blocks.Flush(now);
            _latest.Flush(now);
            return new WriteResult(row - firstRow, fenced, _inserter.Refused);
        });
    }

    /// <summary>Copies the write-ahead log into the file as far as readers allow, and closes.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            _inserter.Dispose();
            _checkpoints.Dispose();
            _blocks.Dispose();
            _latest.Dispose();
            _series.Dispose();
            try
            {
                _database.Execute("PRAGMA wal_checkpoint(PASSIVE)");
            }
            catch (StoreException)
            {
                // The log holds everything that was committed; the next one to open the file copies it.
            }
            _database.Dispose();
        }
        lock (_historyLock)
            _history?.Dispose();
    }

    // The change to WAL does not wait for a lock as other statements do.
    private static void CreateTables(Database database, TimeSpan busyTimeout)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                StoreSchema.Create(database);
                return;
            }
            catch (StoreException error) when (error.Fault == StoreFault.Busy && TimeProvider.System.GetElapsedTime(started) < busyTimeout)
            {
                Thread.Sleep(10);
            }
        }
    }

    /// <param name="work">What is done; it is given the time in milliseconds.</param>
    /// <param name="keep">Whether its changes are kept; they are if null.</param>
    private T InTransaction<T>(Func<long, T> work, Func<T, bool>? keep = null)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_database.HasMoved)
            {
                throw new StoreException(StoreFault.Moved,
                    $"database '{Path}' was moved, replaced or deleted while it was open: what is written now would be lost; start again");
            }
            _database.Execute("BEGIN IMMEDIATE");
            try
            {
                var result = work(_time.GetUtcNow().ToUnixTimeMilliseconds());
                _database.Execute(keep?.Invoke(result) == false ? "ROLLBACK" : "COMMIT");
                _series.Committed();
                return result;
            }
            catch
            {
                _series.RolledBack();
                _latest.RolledBack();
                _columns.Forget();
                _database.Rollback();
                throw;
            }
        }
    }

    private static long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }
}
