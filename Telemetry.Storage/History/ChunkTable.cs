using Telemetry.Storage.Queries;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>Reads chunks and what is known of them, as they are at one moment.</summary>
internal sealed class ChunkTable(Database database) : IDisposable
{
    private readonly Statement _next = database.Prepare("SELECT min(hour) FROM chunk WHERE level = ?1 AND hour >= ?2");
    private readonly Statement _before = database.Prepare("SELECT max(hour) FROM chunk WHERE level = ?1 AND hour <= ?2");
    private readonly Dictionary<string, Statement> _selects = [];
    private BlobReader? _blobs;
    private byte[] _bytes = [];

    /// <summary>The hours from one to another that have chunks, ascending.</summary>
    public IEnumerable<long> Hours(ChunkLevel level, long first, long last)
    {
        for (var from = first; from <= last;)
        {
            _next.Bind(1, (long)level).Bind(2, from);
            var hour = _next.Step() && !_next.IsNull(0) ? _next.Long(0) : long.MaxValue;
            _next.Reset();
            if (hour > last)
                yield break;
            yield return hour;
            from = hour + 1;
        }
    }

    /// <summary>The same, descending.</summary>
    public IEnumerable<long> HoursDescending(ChunkLevel level, long first, long last)
    {
        for (var from = last; from >= first;)
        {
            _before.Bind(1, (long)level).Bind(2, from);
            var hour = _before.Step() && !_before.IsNull(0) ? _before.Long(0) : long.MinValue;
            _before.Reset();
            if (hour < first)
                yield break;
            yield return hour;
            from = hour - 1;
        }
    }

    /// <summary>The chunks of an hour by series and in the order of their writing.</summary>
    public List<ChunkEntry> Of(ChunkLevel level, long hour, SeriesFilter filter) => Of(level, hour, filter.Clause);

    /// <summary>The chunks of an hour and one series, in the order of their writing.</summary>
    public List<ChunkEntry> Of(ChunkLevel level, long hour, long gpu)
    {
        var select = Select(" AND gpu = ?3");
        select.Bind(3, gpu);
        return Read(select, level, hour);
    }

    /// <summary>The bytes of a chunk, until the next call.</summary>
    /// <exception cref="StoreException">They are missing.</exception>
    public ReadOnlyMemory<byte> Bytes(in ChunkEntry entry)
    {
        database.Cancellation.ThrowIfCancellationRequested(); // SQLite looks by itself; decoding does not
        if (_bytes.Length < entry.Bytes)
            _bytes = new byte[Math.Max(entry.Bytes, 16_384)];
        _blobs ??= new BlobReader(database, "pack_data", "data");
        _blobs.Read(entry.Pack, entry.Offset, _bytes.AsSpan(0, entry.Bytes));
        return _bytes.AsMemory(0, entry.Bytes);
    }

    public void Dispose()
    {
        _blobs?.Dispose();
        _next.Dispose();
        _before.Dispose();
        foreach (var select in _selects.Values)
            select.Dispose();
    }

    private List<ChunkEntry> Of(ChunkLevel level, long hour, string clause) => Read(Select(clause), level, hour);

    private Statement Select(string clause)
    {
        if (!_selects.TryGetValue(clause, out var select))
        {
            select = database.Prepare($"SELECT {ChunkEntry.Columns} FROM chunk WHERE level = ?1 AND hour = ?2{clause} ORDER BY gpu, id");
            _selects.Add(clause, select);
        }
        return select;
    }

    private static List<ChunkEntry> Read(Statement select, ChunkLevel level, long hour)
    {
        select.Bind(1, (long)level).Bind(2, hour);
        var entries = new List<ChunkEntry>();
        while (select.Step())
            entries.Add(ChunkEntry.Read(select));
        return entries;
    }
}
