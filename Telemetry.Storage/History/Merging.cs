using System.Runtime.InteropServices;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>
/// Makes one chunk of the parts of each series and hour, and adds them to its minutes. As with <see cref="Folding"/>, the
/// work is done in a read transaction and written in a short one. An hour is merged once nothing was added for a while, and
/// in between when it has very many parts.
/// </summary>
internal sealed class Merging
{
    private const int FoldsMax = 250;
    private const int SeriesAStep = 256;
    private const int RowsAStep = 1_000_000;

    private readonly long _hour;
    private readonly MetricIds _metrics;
    private readonly ChunkTable _table;
    private readonly Packs _packs = new();
    private readonly List<(ChunkEntry Entry, byte[] Bytes)> _minutesChunks = [];
    private readonly List<ChunkEntry> _replaced = [];
    private readonly ChunkReader _reader = new();
    private readonly ChunkWriter _writer = new();
    private readonly Minutes _minutes = new();
    private long[] _times = [];
    private int[] _order = [];
    private double[] _values = [];
    private double[] _sorted = [];
    private int _rows;

    private Merging(Database database, ChunkTable table, long hour, IReadOnlyList<long> series)
    {
        (_table, _hour) = (table, hour);
        _metrics = MetricIds.Read(database);
        foreach (var gpu in series)
        {
            Merge(_table.Of(ChunkLevel.Rows, hour, gpu));
            if (_rows >= RowsAStep)
                break;
        }
        foreach (var (entry, bytes) in _minutesChunks)
            _packs.Add(entry, bytes);
        _packs.Close();
    }

    /// <summary>Chunks that become fewer.</summary>
    public int Chunks => _replaced.Count;

    /// <summary>The hour that is ready to be merged; null for none. Inside a transaction.</summary>
    /// <param name="database">The file.</param>
    /// <param name="quiet">Nothing was added to it for so long.</param>
    /// <param name="now">Milliseconds.</param>
    public static long? Next(Database database, TimeSpan quiet, long now)
    {
        using var select = database.Prepare($"""
            SELECT hour FROM open_hour WHERE (hour < ?1 AND written_at <= ?2) OR folds >= {FoldsMax} ORDER BY hour LIMIT 1
            """);
        var before = now - (long)quiet.TotalMilliseconds;
        long? hour = select.Bind(1, Hours.Of(before)).Bind(2, before).Step() ? select.Long(0) : null;
        select.Reset();
        return hour;
    }

    /// <summary>Merges parts of some series of an hour. Inside a read transaction.</summary>
    /// <returns>Null where it has no parts.</returns>
    public static Merging? Prepare(Database database, long hour)
    {
        var series = new List<long>();
        using var select = database.Prepare(
            $"SELECT DISTINCT gpu FROM chunk INDEXED BY chunk_part WHERE is_part = 1 AND hour = ?1 ORDER BY gpu LIMIT {SeriesAStep}");
        select.Bind(1, hour);
        while (select.Step())
            series.Add(select.Long(0));
        using var table = new ChunkTable(database);
        return series.Count == 0 ? null : new Merging(database, table, hour, series);
    }

    /// <summary>Notes that an hour has no parts. Inside a write transaction.</summary>
    public static void Close(Database database, long hour)
    {
        using var close = database.Prepare("""
            DELETE FROM open_hour WHERE hour = ?1
            AND NOT EXISTS (SELECT 1 FROM chunk INDEXED BY chunk_part WHERE is_part = 1 AND hour = ?1)
            """);
        close.Bind(1, hour).Run();
    }

    /// <summary>Puts the chunks in the place of those that they are made of. Inside a write transaction.</summary>
    /// <returns>False where another was quicker; the transaction must be rolled back then.</returns>
    public bool TryApply(Database database)
    {
        if (!Packs.TryRemove(database, _replaced))
            return false;
        var state = HistoryState.Read(database);
        (state with { NextPack = _packs.Write(database, state.NextPack, 0) }).Write(database);
        return true;
    }

    private void Merge(List<ChunkEntry> chunks)
    {
        var parts = chunks.FindAll(c => c.IsPart);
        if (parts.Count == 0)
            return;
        AddToMinutes(parts);
        // The chunk that the parts follow is written anew with them, as long as that gives one chunk.
        var together = chunks.FindAll(c => !c.IsPart).TakeLast(1).Concat(parts).ToList();
        if (together.Sum(c => (long)c.Rows) > Chunk.RowsMax)
            together = parts;
        // Parts that are too many for one chunk become several, each of the parts that fit.
        for (var first = 0; first < together.Count;)
        {
            var (count, rows) = (0, 0L);
            while (first + count < together.Count && rows + together[first + count].Rows <= Chunk.RowsMax)
                rows += together[first + count++].Rows;
            Write(CollectionsMarshal.AsSpan(together).Slice(first, count), (int)rows);
            first += count;
        }
    }

    private void AddToMinutes(List<ChunkEntry> parts)
    {
        var known = _table.Of(ChunkLevel.Minutes, _hour, parts[0].Gpu);
        if (known is [var minutes])
        {
            _reader.Open(_table.Bytes(minutes));
            _minutes.Read(_reader, _hour, _metrics.Count);
            _replaced.Add(minutes);
        }
        else
        {
            _minutes.Clear(_hour, _metrics.Count);
        }
        foreach (var part in parts)
        {
            _reader.Open(_table.Bytes(part));
            Reserve(part.Rows);
            _reader.ReadTimes(_times);
            _minutes.AddTimes(_times.AsSpan(0, part.Rows));
            foreach (var metric in _reader.Metrics)
            {
                _reader.Read(metric, _values);
                _minutes.AddValues(metric, _times.AsSpan(0, part.Rows), _values.AsSpan(0, part.Rows));
            }
        }
        var bytes = _minutes.Write(_writer, out var count).ToArray();
        _minutesChunks.Add((new ChunkEntry(ChunkLevel.Minutes, _hour, parts[0].Gpu, 0, IsPart: false, count,
            parts.Concat(known).Min(p => p.FirstTime), parts.Concat(known).Max(p => p.LastTime), parts.Concat(known).Max(p => p.WrittenAt), 0, 0, 0), bytes));
    }

    /// <summary>Writes chunks as one. It gets the id of the last of them, so that parts that come meanwhile follow it.</summary>
    private void Write(ReadOnlySpan<ChunkEntry> chunks, int rows)
    {
        Reserve(rows);
        var metrics = new SortedSet<int>();
        var at = 0;
        var contents = new byte[chunks.Length][];
        for (var i = 0; i < chunks.Length; i++)
        {
            contents[i] = _table.Bytes(chunks[i]).ToArray();
            _reader.Open(contents[i]);
            _reader.ReadTimes(_times.AsSpan(at));
            metrics.UnionWith(_reader.Metrics);
            at += chunks[i].Rows;
        }
        var isSorted = Sort(rows);
        _writer.Begin(_times.AsSpan(0, rows));
        foreach (var metric in metrics)
        {
            at = 0;
            for (var i = 0; i < chunks.Length; i++)
            {
                _reader.Open(contents[i]);
                _reader.Read(metric, _values.AsSpan(at));
                at += chunks[i].Rows;
            }
            if (!isSorted)
            {
                for (var i = 0; i < rows; i++)
                    _sorted[i] = _values[_order[i]];
            }
            _writer.Add(metric, (isSorted ? _values : _sorted).AsSpan(0, rows));
        }
        var written = chunks[0].WrittenAt;
        foreach (var chunk in chunks)
            written = Math.Max(written, chunk.WrittenAt);
        _packs.Add(new ChunkEntry(ChunkLevel.Rows, _hour, chunks[0].Gpu, chunks[^1].Id, IsPart: false, rows,
            _times[0], _times[rows - 1], written, 0, 0, 0), _writer.End());
        _replaced.AddRange(chunks);
        _rows += rows;
    }

    /// <summary>Sorts the times; those that are equal keep their order.</summary>
    /// <returns>Whether they were sorted; otherwise the order is where each came from.</returns>
    private bool Sort(int rows)
    {
        var isSorted = true;
        for (var i = 1; i < rows && isSorted; i++)
            isSorted = _times[i] >= _times[i - 1];
        if (isSorted)
            return true;
        for (var i = 0; i < rows; i++)
            _order[i] = i;
        var times = _times.AsSpan(0, rows).ToArray();
        _order.AsSpan(0, rows).Sort((a, b) => times[a] != times[b] ? times[a].CompareTo(times[b]) : a.CompareTo(b));
        for (var i = 0; i < rows; i++)
            _times[i] = times[_order[i]];
        return false;
    }

    private void Reserve(int rows)
    {
        if (_times.Length >= rows)
            return;
        (_times, _order, _values, _sorted) = (new long[rows], new int[rows], new double[rows], new double[rows]);
    }
}
