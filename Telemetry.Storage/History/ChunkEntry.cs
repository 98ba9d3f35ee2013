using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>What a chunk holds: the levels of the table <c>chunk</c>.</summary>
internal enum ChunkLevel
{
    /// <summary>Records.</summary>
    Rows = 0,

    /// <summary>Roll-ups of minutes, see <see cref="Minutes"/>.</summary>
    Minutes = 1,
}

/// <summary>A row of the table <c>chunk</c>: a chunk and where its bytes are.</summary>
internal readonly record struct ChunkEntry(
    ChunkLevel Level, long Hour, long Gpu, long Id, bool IsPart, int Rows, long FirstTime, long LastTime, long WrittenAt, long Pack, int Offset, int Bytes)
{
    /// <summary>The columns that <see cref="Read"/> reads.</summary>
    public const string Columns = "level, hour, gpu, id, is_part, rows, first_time, last_time, written_at, pack, offset, bytes";

    /// <summary>Whether every row lies in [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public bool IsWithin(long start, long end) => FirstTime >= start && LastTime < end;

    /// <summary>Whether a row may lie in [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public bool Overlaps(long start, long end) => LastTime >= start && FirstTime < end;

    /// <summary>Reads an entry from a row that begins with <see cref="Columns"/>.</summary>
    public static ChunkEntry Read(Statement row) => new(
        (ChunkLevel)row.Int(0), row.Long(1), row.Long(2), row.Long(3), row.Long(4) != 0, row.Int(5),
        row.Long(6), row.Long(7), row.Long(8), row.Long(9), row.Int(10), row.Int(11));
}
