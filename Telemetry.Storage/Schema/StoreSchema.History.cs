namespace Telemetry.Storage.Schema;

/// <summary>The tables of the history, which came with version 2.</summary>
internal static partial class StoreSchema
{
    private const string HistoryTables = """
        CREATE TABLE history (
          -- One row. Samples with row_id < next_row are folded: queries read them from chunks and roll-ups, although the
          -- plain rows stay for a while, for people. From next_row on they read the plain rows.
          id INTEGER PRIMARY KEY CHECK (id = 1),
          next_row INTEGER NOT NULL,
          folded_at INTEGER NOT NULL, -- milliseconds
          rows INTEGER NOT NULL, -- records in chunks
          next_chunk INTEGER NOT NULL, next_pack INTEGER NOT NULL -- chunk.id and pack.id of the next ones; never used twice
        );
        CREATE TABLE metric (
          -- The metrics' numbers in chunks and roll-ups.
          id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
        );
        CREATE TABLE chunk (
          -- Compressed records of one series and one hour, [hour, hour + 1) in hours since 1970-01-01 UTC. Each folding adds a
          -- part; when the hour is over, its parts become one chunk and its minutes are written. The data are in the pack.
          level INTEGER NOT NULL, -- 0: records, 1: minutes (count, sum, min, max, last, last time of each metric)
          hour INTEGER NOT NULL, gpu INTEGER NOT NULL, -- gpu.id
          id INTEGER NOT NULL, -- rises with the order of writing
          is_part INTEGER NOT NULL, -- 1: not merged yet, and not in the minutes
          rows INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, -- milliseconds
          written_at INTEGER NOT NULL, -- when the last of them was written, milliseconds
          pack INTEGER NOT NULL, offset INTEGER NOT NULL, bytes INTEGER NOT NULL, -- pack.id, and where in its data
          PRIMARY KEY (level, hour, gpu, id)
        ) WITHOUT ROWID;
        CREATE INDEX chunk_part ON chunk (hour, gpu) WHERE is_part = 1;
        CREATE TABLE pack (
          -- How many chunks of a pack are still in use; without any, it leaves.
          id INTEGER PRIMARY KEY, chunks INTEGER NOT NULL
        );
        CREATE TABLE pack_data (
          -- Chunks one after the other, so that they do not leave parts of pages empty.
          id INTEGER PRIMARY KEY, data BLOB NOT NULL
        );
        CREATE TABLE gpu_hour (
          -- The roll-up of one series and hour: every folded record.
          hour INTEGER NOT NULL, gpu INTEGER NOT NULL, -- gpu.id
          rows INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, -- milliseconds
          written_at INTEGER NOT NULL, -- when the last of them was written, milliseconds
          totals BLOB NOT NULL, -- count, sum, min, max, last, last time of each metric, and the distances between records
          PRIMARY KEY (hour, gpu)
        ) WITHOUT ROWID;
        CREATE TABLE open_hour (
          -- Hours that have parts to be merged.
          hour INTEGER PRIMARY KEY,
          folds INTEGER NOT NULL, -- how many foldings added parts
          written_at INTEGER NOT NULL -- the last of them, milliseconds
        );
        ALTER TABLE latest ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0; -- when last_row was written, milliseconds
        ALTER TABLE latest ADD COLUMN metrics BLOB; -- the record's values once its plain row has left
        INSERT INTO history (id, next_row, folded_at, rows, next_chunk, next_pack)
          SELECT 1, coalesce((SELECT min(first_row) FROM block), 1), 0, 0, 1, 1;
        UPDATE latest SET written_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000;
        """;
}
