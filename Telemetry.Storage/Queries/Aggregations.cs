using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>Aggregates by group and series of buckets.</summary>
internal static class Aggregations
{
    private sealed class Group(string hostId, string? gpuId, int metrics)
    {
        public string HostId { get; } = hostId;

        public string? GpuId { get; } = gpuId;

        public long Rows { get; set; }

        public MetricTotals[] Totals { get; } = new MetricTotals[metrics];
    }

    public static IReadOnlyList<AggregateGroup> ByGroup(
        Snapshot snapshot, TimeRange range, GroupBy groupBy, string? hostId, string? gpuId, IReadOnlyList<string>? names)
    {
        var metrics = snapshot.MetricsAmong(names);
        var groups = new Dictionary<(string, string?), Group>();
        var filter = SeriesFilter.Of(snapshot, hostId, gpuId);
        foreach (var (series, totals) in RangeTotals.Of(snapshot, filter, StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End), metrics))
        {
            if (totals.Rows == 0)
                continue;
            var labels = snapshot.LabelsOf(series);
            var key = (labels.HostId, groupBy == GroupBy.GpuId ? labels.GpuId : null);
            ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
            group ??= new Group(key.HostId, key.Item2, metrics.Count);
            group.Rows += totals.Rows;
            for (var i = 0; i < metrics.Count; i++)
                group.Totals[i].Add(totals.Metrics[i]);
        }
        return [.. groups.Values
            .OrderBy(g => g.HostId, StringComparer.Ordinal).ThenBy(g => g.GpuId, GpuOrder.Instance)
            .Select(g => new AggregateGroup(g.HostId, g.GpuId, g.Rows, MetricTotals.Aggregates(metrics, g.Totals)))];
    }

    public static IReadOnlyList<SeriesPoint> Series(
        Snapshot snapshot, string hostId, string gpuId, string metric, TimeRange range, TimeSpan step)
    {
        var metrics = snapshot.MetricsAmong([metric]);
        var filter = SeriesFilter.Of(snapshot, hostId, gpuId);
        if (metrics.Count == 0 || filter.IsEmpty)
            return [];
        var buckets = new SeriesBuckets(snapshot, filter, range, step);
        buckets.AddHistory(metrics[0]);
        buckets.AddPlain(metrics);
        return buckets.Points();
    }

    /// <summary>Buckets of a series; those of several series of one GPU are put together at the end.</summary>
    private sealed class SeriesBuckets(Snapshot snapshot, SeriesFilter filter, TimeRange range, TimeSpan step)
    {
        private readonly Dictionary<(long Gpu, long Bucket), MetricTotals> _buckets = [];
        private readonly long _start = StoreTime.Ceiling(range.Start);
        private readonly long _end = StoreTime.Ceiling(range.End);

        // Whether a minute never belongs to two buckets.
        private readonly bool _ofMinutes = range.Start.UtcTicks % TimeSpan.TicksPerMinute == 0 && step.Ticks % TimeSpan.TicksPerMinute == 0;

        public void AddHistory(string metric)
        {
            var id = snapshot.MetricIds.Of(metric);
            if (id < 0)
                return;
            var rows = new ChunkRows(snapshot.Chunks, [id]);
            var (first, last) = (Hours.Of(Math.Max(_start, filter.MinTime)), Hours.Of(Math.Min(_end - 1, filter.MaxTime)));
            using var hours = new HourTable(snapshot.Database, filter);
            foreach (var hour in hours.Hours(first, last))
            {
                var chunks = snapshot.Chunks.Of(ChunkLevel.Rows, hour, filter);
                var kept = chunks.GroupBy(c => c.Gpu).ToDictionary(c => c.Key, c => c.Sum(chunk => (long)chunk.Rows));
                // Records that have left by age leave only minutes.
                var isKept = new HashSet<long>();
                hours.Begin(hour);
                while (hours.Read())
                {
                    if (kept.GetValueOrDefault(hours.Gpu) == hours.Rows)
                        isKept.Add(hours.Gpu);
                }
                // The end may cut a minute in two.
                var isCut = Math.Min(_end, Hours.End(hour)) % Hours.MillisecondsOfMinute != 0;
                var minutes = snapshot.Chunks.Of(ChunkLevel.Minutes, hour, filter);
                var ofMinutes = minutes.Where(m => (_ofMinutes && !isCut) || !isKept.Contains(m.Gpu)).Select(m => m.Gpu).ToHashSet();
                foreach (var entry in minutes.Where(m => ofMinutes.Contains(m.Gpu)))
                    AddMinutes(entry, id);
                foreach (var chunk in chunks.Where(c => (c.IsPart || !ofMinutes.Contains(c.Gpu)) && c.Overlaps(_start, _end)))
                    AddRows(rows, chunk);
            }
        }

        public void AddPlain(IReadOnlyList<string> metrics)
        {
            using var scan = new SampleScan(snapshot, filter, _start, _end, metrics);
            while (scan.Read())
            {
                if (scan.TryGet(0, out var value))
                    Bucket(scan.Series, scan.Time).Add(scan.Time, value);
            }
        }

        public IReadOnlyList<SeriesPoint> Points()
        {
            var points = new SortedDictionary<long, MetricTotals>();
            foreach (var (key, totals) in _buckets.Where(b => b.Value.Count > 0).OrderBy(b => b.Key.Gpu))
            {
                var point = points.GetValueOrDefault(key.Bucket);
                point.Add(totals);
                points[key.Bucket] = point;
            }
            return [.. points.Select(p => new SeriesPoint(
                (range.Start + (p.Key * step)).ToUniversalTime(), p.Value.Count, p.Value.Sum / p.Value.Count, p.Value.Min, p.Value.Max, p.Value.Last))];
        }

        private void AddMinutes(in ChunkEntry entry, int id)
        {
            var chunk = new ChunkReader();
            var minutes = new Minutes();
            chunk.Open(snapshot.Chunks.Bytes(entry));
            minutes.Read(chunk, entry.Hour, snapshot.MetricIds.Count, [id]);
            for (var minute = 0; minute < Minutes.OfHour; minute++)
            {
                var from = minutes.Start(minute);
                var totals = minutes.Totals(id)[minute];
                if (totals.Count > 0 && from >= _start && from + Hours.MillisecondsOfMinute <= _end)
                    Bucket(entry.Gpu, from).Add(totals);
            }
        }

        private void AddRows(ChunkRows rows, in ChunkEntry entry)
        {
            rows.Open(entry);
            var (first, count) = rows.Within(_start, _end).GetOffsetAndLength(entry.Rows);
            var times = rows.Times;
            var values = rows.Values(0);
            for (var row = first; row < first + count;)
            {
                // The rows of a bucket follow one another.
                ref var bucket = ref Bucket(entry.Gpu, times[row]);
                var end = EndOfBucket(times[row]);
                for (; row < first + count && times[row] < end; row++)
                {
                    if (!double.IsNaN(values[row]))
                        bucket.Add(times[row], values[row]);
                }
            }
        }

        private long EndOfBucket(long time) => StoreTime.Ceiling(range.Start + (((StoreTime.From(time) - range.Start).Ticks / step.Ticks) + 1) * step);

        private ref MetricTotals Bucket(long gpu, long time)
        {
            var bucket = (StoreTime.From(time) - range.Start).Ticks / step.Ticks;
            return ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, (gpu, bucket), out _);
        }
    }
}
