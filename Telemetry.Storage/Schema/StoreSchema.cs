using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Schema;

/// <summary>The tables, and what is checked before a file is used.</summary>
internal static partial class StoreSchema
{
    /// <summary>The version in <c>PRAGMA user_version</c>. Raise it with every change, with a step in <see cref="Create"/>.</summary>
    public const int Version = 2;

    /// <summary>"GPUT" in <c>PRAGMA application_id</c>: the file is this program's.</summary>
    public const int ApplicationId = 0x47505554;

    /// <summary>Before this, two connections that write and checkpoint at the same moment could lose a commit.</summary>
    public static readonly Version SqliteMin = new(3, 51, 3);

    // Those of version 1. SQLite keeps the text between CREATE and the last bracket: the comments are shown by `.schema` in the sqlite3 shell.
    internal const string Tables = """
        CREATE TABLE gpu (
          -- One row for each distinct identity (a series). Rows are never changed or deleted.
          -- Labels are empty where the source does not say; several series of one host and GPU differ in another label.
          id INTEGER PRIMARY KEY,
          host_id TEXT NOT NULL, gpu_id TEXT NOT NULL, uuid TEXT NOT NULL, model TEXT NOT NULL,
          device TEXT NOT NULL, pod TEXT NOT NULL, namespace TEXT NOT NULL, container TEXT NOT NULL,
          UNIQUE (host_id, gpu_id, uuid, model, device, pod, namespace, container)
        );
        CREATE TABLE sample (
          -- Records as they were written; row_id rises with the order of writing and is never used twice.
          -- A column for each metric is added when it is first seen; NULL is "not measured". No index: see block.
          row_id INTEGER PRIMARY KEY,
          time INTEGER NOT NULL, -- milliseconds since 1970-01-01 UTC
          gpu INTEGER NOT NULL -- gpu.id
        );
        CREATE TABLE block (
          -- The zone map: runs of samples [first_row, first_row + rows) with their span of time, so that a query
          -- or the retention reads only the runs that it needs. The runs adjoin each other until retention removes some;
          -- a run of 0 rows at the end keeps row_id rising.
          first_row INTEGER PRIMARY KEY,
          rows INTEGER NOT NULL,
          min_time INTEGER NOT NULL, max_time INTEGER NOT NULL, -- of the samples, milliseconds
          opened_at INTEGER NOT NULL, written_at INTEGER NOT NULL -- when its first and last rows were written, milliseconds
        );
        CREATE TABLE latest (
          -- The newest record of each series: by time, then by row_id.
          gpu INTEGER PRIMARY KEY, -- gpu.id
          time INTEGER NOT NULL, row_id INTEGER NOT NULL,
          first_time INTEGER NOT NULL, -- the earliest time that was ever written, milliseconds
          last_row INTEGER NOT NULL -- the row written last, whatever its time
        );
        CREATE TABLE checkpoint (
          -- How far each partition of the queue is in this store. Moved in the transaction of the rows, by compare-and-set
          -- on log, offset and owner, so that every record is written exactly once.
          topic TEXT NOT NULL, partition INTEGER NOT NULL,
          topic_id TEXT NOT NULL, log_epoch INTEGER NOT NULL, -- which log the offset belongs to; '' before the first record
          next_offset INTEGER NOT NULL, -- the first record that is not here; -1 before the first record
          owner_epoch INTEGER NOT NULL, -- raised by each collector that takes the partition; older ones are fenced
          owner TEXT NOT NULL, updated_at INTEGER NOT NULL, -- milliseconds
          PRIMARY KEY (topic, partition)
        );
        CREATE TABLE dead_letter (
          -- Records that could not be stored, with the reason.
          id INTEGER PRIMARY KEY,
          topic TEXT NOT NULL, partition INTEGER NOT NULL, topic_id TEXT NOT NULL, log_epoch INTEGER NOT NULL,
          offset INTEGER NOT NULL, records INTEGER NOT NULL, -- the records [offset, offset + records)
          reason TEXT NOT NULL, detail TEXT NOT NULL,
          payload BLOB, payload_bytes INTEGER NOT NULL, -- the batch, cut at 64 KiB, and its whole size; NULL where it was not kept
          time INTEGER NOT NULL -- when it was found, milliseconds
        );
        CREATE TABLE gap (
          -- Records that never reached this store: the offsets [from_offset, to_offset) of a log; -1 is unknown.
          id INTEGER PRIMARY KEY,
          topic TEXT NOT NULL, partition INTEGER NOT NULL, topic_id TEXT NOT NULL, log_epoch INTEGER NOT NULL,
          from_offset INTEGER NOT NULL, to_offset INTEGER NOT NULL,
          reason TEXT NOT NULL, detected_at INTEGER NOT NULL -- milliseconds
        );
        """;

    /// <summary>Makes the tables in a new file; checks the version of one that has them. Safe when several processes do it at once.</summary>
    /// <exception cref="StoreException">The file is another program's or of a newer version.</exception>
    public static void Create(Database database)
    {
        if (InTransaction(database, "BEGIN", () => Check(database)) == Version)
        {
            database.Execute("PRAGMA journal_mode = WAL"); // needs no lock where it is so already
            return;
        }
        // The first two settle with the first page that is written, so they come before WAL.
        database.Execute("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
        InTransaction(database, "BEGIN IMMEDIATE", () =>
        {
            // Each step and its version are of one transaction: an upgrade that is killed has not happened, and is done
            // by the next one to open the file.
            var version = Check(database);
            if (version == 0)
            {
                database.Execute(Tables);
                TelemetryView.Create(database, []);
            }
            if (version < 2)
                database.Execute(HistoryTables);
            database.Execute($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}");
            return Version;
        });
    }

    private static int InTransaction(Database database, string begin, Func<int> work)
    {
        database.Execute(begin);
        try
        {
            var version = work();
            database.Execute("COMMIT");
            return version;
        }
        catch
        {
            database.Rollback();
            throw;
        }
    }

    /// <summary>The file's version; 0 for a new one. Inside a transaction, as another process may be making the tables.</summary>
    /// <exception cref="StoreException">The file is another program's or of a newer version.</exception>
    public static int Check(Database database)
    {
        var application = database.Scalar("PRAGMA application_id") ?? 0;
        var version = database.Scalar("PRAGMA user_version") ?? 0;
        if (application == ApplicationId)
        {
            return version <= Version ? (int)version : throw new StoreException(StoreFault.Unusable,
                $"database '{database.Path}': its schema has version {version} and this program knows versions up to {Version}: run the newer program, or choose another DATABASE_PATH");
        }
        if (application != 0 || version != 0 || database.Scalar("SELECT count(*) FROM sqlite_schema") != 0)
        {
            throw new StoreException(StoreFault.Unusable,
                $"database '{database.Path}' belongs to another program (application_id {application}, version {version}): choose another DATABASE_PATH");
        }
        return 0;
    }

    /// <summary>Refuses an SQLite library that can lose commits.</summary>
    /// <exception cref="StoreException">The library is too old.</exception>
    public static void CheckLibrary(Version version)
    {
        if (version < SqliteMin)
        {
            throw new StoreException(StoreFault.Unusable,
                $"SQLite {version} can lose commits of several writers; {SqliteMin} or newer is needed: restore the packages of this program");
        }
    }
}
