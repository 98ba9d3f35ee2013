using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>The fleet over a range, with how complete its records are.</summary>
internal static class FleetSummaries
{
    private sealed class Gpu
    {
        public long Rows { get; set; }

        public Cadence Cadence { get; } = new();
    }

    public static FleetSummary Summarize(Snapshot snapshot, TimeRange range, DateTimeOffset now)
    {
        var metrics = snapshot.MetricsAmong(null);
        var totals = new MetricTotals[metrics.Count];
        var gpus = new Dictionary<(string HostId, string GpuId), Gpu>();
        var start = StoreTime.Ceiling(range.Start);
        var end = StoreTime.Ceiling(range.End);
        foreach (var (series, of) in RangeTotals.Of(snapshot, SeriesFilter.All, start, end, metrics, RangeDetail.Cadence))
        {
            var labels = snapshot.LabelsOf(series);
            ref var gpu = ref CollectionsMarshal.GetValueRefOrAddDefault(gpus, (labels.HostId, labels.GpuId), out _);
            gpu ??= new Gpu();
            gpu.Rows += of.Rows;
            gpu.Cadence.Add(of.Cadence);
            for (var i = 0; i < totals.Length; i++)
                totals[i].Add(of.Metrics[i]);
        }
        // What lies in the same hours and not in the range only tells the interval.
        foreach (var (key, _) in gpus.Where(g => g.Value.Rows == 0).ToList())
            gpus.Remove(key);
        var until = Math.Min(end, now.ToUnixTimeMilliseconds());
        var completeness = gpus.Count == 0 ? (double?)null : Completeness(snapshot, gpus, start, until);
        return new FleetSummary(gpus.Keys.Select(g => g.HostId).Distinct().Count(), gpus.Count, gpus.Values.Sum(g => g.Rows),
            MetricTotals.Aggregates(metrics, totals), completeness);
    }

    /// <summary>
    /// Received over expected; a GPU that sent more than expected does not make up for one that sent less. A GPU with one
    /// record an hour has no interval of its own and is measured by the fleet's median.
    /// </summary>
    private static double Completeness(Snapshot snapshot, Dictionary<(string HostId, string GpuId), Gpu> gpus, long start, long until)
    {
        var firstSeen = FleetQueries.FirstSeen(snapshot);
        var intervals = gpus.ToDictionary(g => g.Key, g => g.Value.Cadence.UsualInterval());
        var fleetInterval = Median([.. intervals.Values.OfType<double>().Order()]);
        var (received, expected) = (0.0, 0.0);
        foreach (var (key, gpu) in gpus)
        {
            var from = Math.Max(firstSeen.GetValueOrDefault(key, start), start);
            var interval = intervals[key] ?? fleetInterval;
            var due = interval is { } usual ? Math.Max((until - from) / usual, 1) : gpu.Rows;
            expected += due;
            received += Math.Min(gpu.Rows, due);
        }
        return received / expected;
    }

    private static double? Median(List<double> sorted) => sorted.Count == 0
        ? null
        : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
}
