using System.Runtime.InteropServices;

namespace Telemetry.Storage.Queries;

/// <summary>Aggregates by group and series of buckets, from the plain rows. SQLite's GROUP BY would sort them all first.</summary>
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
        var bySeries = new Dictionary<long, Group>();
        var groups = new Dictionary<(string, string?), Group>();
        var filter = SeriesFilter.Of(snapshot, hostId, gpuId);
        using var scan = new SampleScan(snapshot, filter, StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End), metrics);
        while (scan.Read())
        {
            if (!bySeries.TryGetValue(scan.Series, out var group))
            {
                var labels = snapshot.LabelsOf(scan.Series);
                var key = (labels.HostId, groupBy == GroupBy.GpuId ? labels.GpuId : null);
                ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
                group = known ??= new Group(key.HostId, key.Item2, metrics.Count);
                bySeries.Add(scan.Series, group);
            }
            group.Rows++;
            AddValues(scan, group.Totals);
        }
        return [.. groups.Values
            .OrderBy(g => g.HostId, StringComparer.Ordinal).ThenBy(g => g.GpuId, GpuOrder.Instance)
            .Select(g => new AggregateGroup(g.HostId, g.GpuId, g.Rows, MetricTotals.Aggregates(metrics, g.Totals)))];
    }

    public static IReadOnlyList<SeriesPoint> Series(
        Snapshot snapshot, string hostId, string gpuId, string metric, TimeRange range, TimeSpan step)
    {
        var metrics = snapshot.MetricsAmong([metric]);
        if (metrics.Count == 0)
            return [];
        var buckets = new Dictionary<long, MetricTotals>();
        var filter = SeriesFilter.Of(snapshot, hostId, gpuId);
        using var scan = new SampleScan(snapshot, filter, StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End), metrics);
        while (scan.Read())
        {
            if (!scan.TryGet(0, out var value))
                continue;
            var bucket = (StoreTime.From(scan.Time) - range.Start).Ticks / step.Ticks;
            CollectionsMarshal.GetValueRefOrAddDefault(buckets, bucket, out _).Add(scan.Time, value);
        }
        return [.. buckets.OrderBy(b => b.Key).Select(b => new SeriesPoint(
            (range.Start + (b.Key * step)).ToUniversalTime(), b.Value.Count, b.Value.Sum / b.Value.Count, b.Value.Min, b.Value.Max, b.Value.Last))];
    }

    /// <summary>Adds a row's values to the totals of the scan's metrics.</summary>
    public static void AddValues(SampleScan scan, MetricTotals[] totals)
    {
        var time = scan.Time;
        for (var i = 0; i < totals.Length; i++)
        {
            if (scan.TryGet(i, out var value))
                totals[i].Add(time, value);
        }
    }
}
