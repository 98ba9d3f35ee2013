using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>
/// Makes parts and roll-ups of plain rows. <see cref="Prepare"/> does the work in a read transaction, so that writers go
/// on; <see cref="TryApply"/> writes the result in one short transaction, if nobody else was quicker.
/// </summary>
internal sealed class Folding
{
    // Values in memory at a time: 128 MB. A fleet of 100,000 GPUs with six metrics fills it in sixteen seconds.
    private const int CellsMax = 16_000_000;

    private readonly record struct Hour(long Number, long Gpu, long Rows, long FirstTime, long LastTime, int Offset, int Bytes);

    private readonly Packs _packs = new();
    private readonly List<Hour> _hours = [];
    private readonly ByteWriter _totals = new();
    private readonly MetricIds _metrics;
    private readonly HistoryState _from;
    private readonly long _end;
    private readonly int _rows;
    private readonly long _now;
    private readonly long _writtenAt;

    private Folding(Database database, FoldedRows rows, HistoryState from, long end, long now)
    {
        (_from, _end, _now) = (from, end, now);
        using (var written = database.Prepare("SELECT max(written_at) FROM block WHERE first_row < ?1 AND first_row + rows > ?2"))
            _writtenAt = written.Bind(1, end).Bind(2, from.NextRow).Step() ? written.Long(0) : now;
        _metrics = MetricIds.Read(database);
        var columns = new MetricColumns(database);
        columns.Refresh();
        rows.Read(database, columns, from.NextRow, end);
        _rows = rows.Count;
        var ids = rows.Metrics.Select(_metrics.Ensure).ToArray();
        WriteParts(rows, ids);
        RollUp(database, rows, ids);
    }

    /// <summary>The rows.</summary>
    public long Rows => _rows;

    /// <summary>Whether more rows wait.</summary>
    public bool HasMore { get; private init; }

    /// <summary>Reads rows and compresses them. Inside a read transaction.</summary>
    /// <param name="database">The file.</param>
    /// <param name="buffers">Where the rows are read to.</param>
    /// <param name="delay">Only if rows were folded longer ago than this, or very many wait.</param>
    /// <param name="rowsMax">At most so many.</param>
    /// <param name="now">Milliseconds.</param>
    /// <returns>Null where there is nothing to do.</returns>
    public static Folding? Prepare(Database database, FoldedRows buffers, TimeSpan delay, int rowsMax, long now)
    {
        var from = HistoryState.Read(database);
        var last = database.Scalar("SELECT first_row + rows FROM block ORDER BY first_row DESC LIMIT 1") ?? 1;
        var waiting = last - from.NextRow;
        var columns = database.Scalar("SELECT count(*) FROM pragma_table_info('sample')") ?? 0;
        var most = Math.Min(rowsMax, CellsMax / (columns + 1));
        // The clock may have gone back: then the age is negative and says nothing.
        var isDue = waiting >= most || now - from.FoldedAt >= (long)delay.TotalMilliseconds || now < from.FoldedAt;
        if (waiting <= 0 || !isDue)
            return null;
        var rows = Math.Min(waiting, most);
        return new Folding(database, buffers, from, from.NextRow + rows, now) { HasMore = waiting - rows >= most };
    }

    /// <summary>Writes the parts and roll-ups and moves the watermark. Inside a write transaction.</summary>
    /// <returns>False where the rows were folded by another meanwhile; nothing was written then.</returns>
    public bool TryApply(Database database)
    {
        var state = HistoryState.Read(database);
        if (state.NextRow != _from.NextRow)
            return false;
        _metrics.WriteNew(database);
        var nextPack = _packs.Write(database, state.NextPack, state.NextChunk);
        using var hour = database.Prepare(
            "INSERT OR REPLACE INTO gpu_hour (hour, gpu, rows, first_time, last_time, written_at, totals) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        foreach (var h in _hours)
        {
            hour.Bind(1, h.Number).Bind(2, h.Gpu).Bind(3, h.Rows).Bind(4, h.FirstTime).Bind(5, h.LastTime).Bind(6, _writtenAt)
                .Bind(7, _totals.Written.Slice(h.Offset, h.Bytes)).Run();
        }
        using var open = database.Prepare("""
            INSERT INTO open_hour (hour, folds, written_at) VALUES (?1, 1, ?2)
            ON CONFLICT (hour) DO UPDATE SET folds = folds + 1, written_at = excluded.written_at
            """);
        foreach (var number in _hours.Select(h => h.Number).Distinct())
            open.Bind(1, number).Bind(2, _now).Run();
        var after = new HistoryState(_end, _now, state.Rows + _rows, state.NextChunk + _packs.Chunks.Count, nextPack);
        after.Write(database);
        return true;
    }

    private void WriteParts(FoldedRows rows, int[] ids)
    {
        var writer = new ChunkWriter();
        var byId = Enumerable.Range(0, ids.Length).OrderBy(i => ids[i]).ToArray();
        var times = new long[Chunk.RowsMax];
        var values = new double[Chunk.RowsMax];
        foreach (var group in rows.Groups)
        {
            for (var from = 0; from < group.Count; from += Chunk.RowsMax)
            {
                var order = rows.Order(group)[from..Math.Min(from + Chunk.RowsMax, group.Count)];
                Gather(rows.Times, order, times);
                writer.Begin(times.AsSpan(0, order.Length));
                foreach (var metric in byId)
                {
                    Gather(rows.Values(metric), order, values);
                    writer.Add(ids[metric], values.AsSpan(0, order.Length));
                }
                _packs.Add(new ChunkEntry(ChunkLevel.Rows, group.Hour, group.Gpu, _packs.Chunks.Count, IsPart: true, order.Length,
                    times[0], times[order.Length - 1], _writtenAt, 0, 0, 0), writer.End());
            }
        }
        _packs.Close();
    }

    private void RollUp(Database database, FoldedRows rows, int[] ids)
    {
        using var select = database.Prepare("SELECT rows, first_time, last_time, totals FROM gpu_hour WHERE hour = ?1 AND gpu = ?2");
        var hour = new GpuHour();
        foreach (var group in rows.Groups)
        {
            if (select.Bind(1, group.Hour).Bind(2, group.Gpu).Step())
            {
                hour.Read(group.Hour, _metrics.Count, select.Long(0), select.Long(1), select.Long(2), select.Blob(3));
                select.Reset();
            }
            else
            {
                hour.Clear(group.Hour, _metrics.Count);
            }
            Add(hour, rows, group, ids);
            var start = _totals.Length;
            hour.Write(_totals);
            _hours.Add(new Hour(group.Hour, group.Gpu, hour.Rows, hour.FirstTime, hour.LastTime, start, _totals.Length - start));
        }
    }

    /// <summary>Adds a group's rows in the order of their writing.</summary>
    private static void Add(GpuHour hour, FoldedRows rows, FoldedRows.Group group, int[] ids)
    {
        var order = rows.Order(group).ToArray();
        if (!group.WasSorted)
            Array.Sort(order);
        foreach (var row in order)
            hour.AddTime(rows.Times[row]);
        for (var metric = 0; metric < ids.Length; metric++)
        {
            var values = rows.Values(metric);
            foreach (var row in order)
                hour.AddValue(ids[metric], rows.Times[row], values[row]);
        }
    }

    private static void Gather<T>(ReadOnlySpan<T> from, ReadOnlySpan<int> rows, Span<T> to)
    {
        for (var i = 0; i < rows.Length; i++)
            to[i] = from[rows[i]];
    }
}
