using System.Buffers.Binary;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Reads plain rows in the order of their writing. Numbers of rows rise by one with the commits, are never used twice, and
/// stay when a row is folded; rows leave from the front.
/// </summary>
internal static class WritingOrder
{
    private const int MetricsFrom = 3;

    /// <summary>Rows after a position, at most <paramref name="limit"/>; none for null, which asks for the end of the store.</summary>
    public static WrittenRows After(Snapshot snapshot, StorePosition? position, int limit)
    {
        var last = snapshot.Database.Scalar("SELECT first_row + rows - 1 FROM block ORDER BY first_row DESC LIMIT 1") ?? 0;
        if (position is not { } from || !Continues(snapshot, from))
            return new WrittenRows([], PositionOf(snapshot, last), false, position is null);
        if (last <= from.Row)
            return new WrittenRows([], from, false, true);
        var metrics = snapshot.MetricsAmong(null);
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        using var select = snapshot.Database.Prepare($"SELECT row_id, time, gpu{columns} FROM sample WHERE row_id > ?1 ORDER BY row_id LIMIT ?2");
        select.Bind(1, from.Row).Bind(2, limit);
        var rows = new List<TelemetryRow>((int)Math.Min(limit, last - from.Row));
        var end = from.Row;
        while (select.Step())
        {
            end = select.Long(0);
            rows.Add(new TelemetryRow(StoreTime.From(select.Long(1)), snapshot.LabelsOf(select.Long(2)), RowPages.ReadMetrics(select, MetricsFrom, metrics)));
        }
        return new WrittenRows(rows, PositionOf(snapshot, end), end < last, true);
    }

    /// <summary>Whether the row of the position is here; or has left by age, and the first one that is here follows it.</summary>
    private static bool Continues(Snapshot snapshot, StorePosition position)
    {
        var here = PositionOf(snapshot, position.Row);
        if (here.Check != 0)
            return here == position;
        return (snapshot.Database.Scalar("SELECT first_row FROM block ORDER BY first_row LIMIT 1") ?? 1) == position.Row + 1;
    }

    /// <summary>
    /// The position of a row. What tells it is its time and series, and when the run was begun that it is in: another store
    /// has not been written in the same millisecond.
    /// </summary>
    private static StorePosition PositionOf(Snapshot snapshot, long row)
    {
        using var select = snapshot.Database.Prepare("""
            SELECT s.time, s.gpu, (SELECT opened_at FROM block WHERE first_row <= ?1 ORDER BY first_row DESC LIMIT 1) FROM sample AS s WHERE s.row_id = ?1
            """).Bind(1, row);
        if (!select.Step())
            return new StorePosition(row, 0);
        Span<byte> bytes = stackalloc byte[3 * sizeof(long)];
        for (var i = 0; i < 3; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes[(i * sizeof(long))..], select.Long(i));
        return new StorePosition(row, Math.Max(Crc32C.Compute(bytes), 1));
    }
}
