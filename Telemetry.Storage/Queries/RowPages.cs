using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Pages of rows, newest first. The order is by time, then by series, then by writing: it is the same before and after rows
/// are folded.
/// </summary>
internal static class RowPages
{
    /// <summary>The most rows that a page may pass over: what is sorted in memory.</summary>
    public const long SkipMax = 1_000_000;

    /// <summary>
    /// Where a row is: a plain row by its <paramref name="Id"/>, with <paramref name="Chunk"/> -1; otherwise the place
    /// <paramref name="Id"/> in one of the chunks at hand, which are in the order of writing. Compares as it is sorted: the
    /// smallest is the oldest.
    /// </summary>
    private readonly record struct Key(long Time, long Series, int Chunk, long Id) : IComparable<Key>
    {
        public int CompareTo(Key other)
        {
            if (Time != other.Time)
                return Time.CompareTo(other.Time);
            if (Series != other.Series)
                return Series.CompareTo(other.Series);
            // Plain rows were written after those that are folded.
            return Chunk != other.Chunk ? ((uint)Chunk).CompareTo((uint)other.Chunk) : Id.CompareTo(other.Id);
        }

        public bool IsPlain => Chunk < 0;
    }

    public static RowPage Read(Snapshot snapshot, RowQuery query)
    {
        var filter = SeriesFilter.Of(snapshot, query.HostId, query.GpuId);
        if (filter.IsEmpty)
            return new RowPage([], query.CountTotal ? 0 : -1, null);
        var start = query.Start is { } from ? StoreTime.Ceiling(from) : long.MinValue;
        var end = query.End is { } to ? StoreTime.Ceiling(to) : long.MaxValue;
        var total = query.CountTotal ? new RowCounts(snapshot, filter).Count(start, end) : -1;
        var search = new Search(snapshot, filter, start, end, query.After, (int)(query.Skip + query.Limit) + 1);
        var keys = search.Newest();
        var page = keys.Skip((int)query.Skip).Take(query.Limit).ToList();
        var next = keys.Count > query.Skip + query.Limit ? search.CursorAfter(page[^1]) : (RowCursor?)null;
        return new RowPage(search.Fetch(page, snapshot.MetricsAmong(query.Metrics)), total, next);
    }

    /// <summary>The metrics that a row has, from its columns from <paramref name="first"/> on.</summary>
    public static Dictionary<string, double> ReadMetrics(Statement row, int first, IReadOnlyList<string> metrics)
    {
        var values = new Dictionary<string, double>(metrics.Count, StringComparer.Ordinal);
        for (var i = 0; i < metrics.Count; i++)
        {
            if (!row.IsNull(first + i))
                values.Add(metrics[i], row.Double(first + i));
        }
        return values;
    }

    /// <summary>
    /// Finds the newest rows. Takes the runs of plain rows by their newest time, then the hours of the history from the last
    /// on, and stops when nothing that is left can have a newer row than the oldest one kept; so it holds no more than it
    /// is asked for.
    /// </summary>
    private sealed class Search(Snapshot snapshot, SeriesFilter filter, long start, long end, RowCursor? after, int wanted)
    {
        private readonly PriorityQueue<Key, Key> _kept = new();
        private readonly List<Key> _ties = []; // rows of the cursor's time and series
        private readonly List<ChunkEntry> _chunks = [];
        private readonly ChunkRows _times = new(snapshot.Chunks, []);

        // Nothing older than the oldest row kept is wanted once there are enough.
        private long Oldest => _kept.Count == wanted ? Math.Max(start, _kept.Peek().Time) : start;

        private long NewestTime => after is { } cursor ? Math.Min(end, cursor.TimeUnixMs + 1) : end;

        public List<Key> Newest()
        {
            SearchPlain();
            SearchHistory();
            KeepTies();
            var newest = new List<Key>(_kept.Count);
            while (_kept.TryDequeue(out var key, out _))
                newest.Add(key);
            newest.Reverse();
            return newest;
        }

        /// <summary>Where to go on after a row: among rows of one time and series their number says it, wherever they are.</summary>
        public RowCursor CursorAfter(Key key)
        {
            var older = after is { } cursor && (cursor.TimeUnixMs, cursor.Series) == (key.Time, key.Series)
                ? _ties.Count(k => k.CompareTo(key) < 0)
                : Older(key);
            return new RowCursor(key.Time, key.Series, older);
        }

        public List<TelemetryRow> Fetch(List<Key> keys, IReadOnlyList<string> metrics)
        {
            var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
            using var select = snapshot.Database.Prepare($"SELECT gpu{columns} FROM sample WHERE row_id = ?1");
            var rows = new TelemetryRow[keys.Count];
            for (var i = 0; i < rows.Length; i++)
            {
                if (!keys[i].IsPlain)
                    continue;
                select.Bind(1, keys[i].Id).Step();
                rows[i] = Row(keys[i], ReadMetrics(select, 1, metrics));
                select.Reset();
            }
            var reader = new ChunkRows(snapshot.Chunks, [.. metrics.Select(snapshot.MetricIds.Of)]);
            foreach (var chunk in Enumerable.Range(0, keys.Count).Where(i => !keys[i].IsPlain).GroupBy(i => keys[i].Chunk))
            {
                reader.Open(_chunks[chunk.Key]);
                foreach (var i in chunk)
                    rows[i] = Row(keys[i], Values(reader, (int)keys[i].Id, metrics));
            }
            return [.. rows];
        }

        private TelemetryRow Row(Key key, Dictionary<string, double> values) => new(StoreTime.From(key.Time), snapshot.LabelsOf(key.Series), values);

        private static Dictionary<string, double> Values(ChunkRows chunk, int row, IReadOnlyList<string> metrics)
        {
            var values = new Dictionary<string, double>(metrics.Count, StringComparer.Ordinal);
            for (var i = 0; i < metrics.Count; i++)
            {
                if (chunk.Values(i)[row] is var value && !double.IsNaN(value))
                    values.Add(metrics[i], value);
            }
            return values;
        }

        private void SearchPlain()
        {
            using var select = snapshot.Database.Prepare(
                $"SELECT row_id, time, gpu FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3 AND time < ?4{filter.Clause} ORDER BY row_id DESC");
            var runs = ZoneMap.Runs(snapshot, filter, start, NewestTime);
            foreach (var run in runs.OrderByDescending(r => r.MaxTime).ThenByDescending(r => r.FirstRow))
            {
                if (run.MaxTime < Oldest)
                    break;
                select.Bind(1, run.FirstRow).Bind(2, run.LastRow).Bind(3, Oldest).Bind(4, NewestTime);
                while (select.Step())
                    Add(new Key(select.Long(1), select.Long(2), -1, select.Long(0)));
            }
        }

        private void SearchHistory()
        {
            var first = Hours.Of(Math.Max(start, filter.MinTime));
            var last = Hours.Of(Math.Min(NewestTime - 1, filter.MaxTime));
            using var hours = new HourTable(snapshot.Database, filter);
            foreach (var hour in snapshot.Chunks.HoursDescending(ChunkLevel.Rows, first, last))
            {
                if (Hours.End(hour) <= Oldest)
                    break;
                // Mostly the plain rows are newer than all that is folded, and an hour of a large fleet has many parts.
                if (hours.LastTimeOf(hour) < Oldest)
                    continue;
                // The order of writing within a series is that of the chunks; the newest are looked at first.
                var from = _chunks.Count;
                _chunks.AddRange(snapshot.Chunks.Of(ChunkLevel.Rows, hour, filter));
                foreach (var i in Enumerable.Range(from, _chunks.Count - from).OrderByDescending(i => (_chunks[i].LastTime, _chunks[i].Gpu)))
                {
                    // No row of this chunk, or of the next ones, is newer than the oldest one kept.
                    if (_kept.Count == wanted && (_chunks[i].LastTime, _chunks[i].Gpu).CompareTo((_kept.Peek().Time, _kept.Peek().Series)) < 0)
                        break;
                    if (_chunks[i].Overlaps(Oldest, NewestTime))
                        Add(i);
                }
            }
        }

        private void Add(int chunk)
        {
            var entry = _chunks[chunk];
            _times.Open(entry);
            var (first, count) = _times.Within(Oldest, NewestTime).GetOffsetAndLength(entry.Rows);
            for (var row = first + count - 1; row >= first && _times.Times[row] >= Oldest; row--)
                Add(new Key(_times.Times[row], entry.Gpu, chunk, row));
        }

        private void Add(Key key)
        {
            if (after is { } cursor && (key.Time, key.Series).CompareTo((cursor.TimeUnixMs, cursor.Series)) is var order and >= 0)
            {
                if (order == 0)
                    _ties.Add(key);
                return;
            }
            Keep(key);
        }

        private void Keep(Key key)
        {
            if (_kept.Count < wanted)
                _kept.Enqueue(key, key);
            else if (key.CompareTo(_kept.Peek()) > 0)
                _kept.EnqueueDequeue(key, key);
        }

        /// <summary>Of the rows that have the cursor's time and series, the oldest are still to come.</summary>
        private void KeepTies()
        {
            _ties.Sort();
            foreach (var key in _ties.Take((int)(after?.Left ?? 0)))
                Keep(key);
        }

        /// <summary>How many rows of a row's time and series are older than it.</summary>
        private long Older(Key key)
        {
            var older = 0L;
            foreach (var chunk in snapshot.Chunks.Of(ChunkLevel.Rows, Hours.Of(key.Time), key.Series))
            {
                if (!chunk.Overlaps(key.Time, key.Time + 1))
                    continue;
                _times.Open(chunk);
                var (first, count) = _times.Within(key.Time, key.Time + 1).GetOffsetAndLength(chunk.Rows);
                if (!key.IsPlain && chunk.Id == _chunks[key.Chunk].Id)
                    return older + key.Id - first;
                older += count;
            }
            using var plain = snapshot.Database.Prepare("SELECT count(*) FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time = ?3 AND gpu = ?4");
            foreach (var run in ZoneMap.Runs(snapshot, filter, key.Time, key.Time + 1).Where(r => r.FirstRow < key.Id))
            {
                plain.Bind(1, run.FirstRow).Bind(2, Math.Min(run.LastRow, key.Id - 1)).Bind(3, key.Time).Bind(4, key.Series).Step();
                older += plain.Long(0);
                plain.Reset();
            }
            return older;
        }
    }
}
