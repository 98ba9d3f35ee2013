using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>Received and expected records of each GPU and hour.</summary>
internal static class Completeness
{
    private sealed class Gpu
    {
        public Dictionary<long, long> Rows { get; } = [];

        public Cadence Cadence { get; } = new();
    }

    public static IReadOnlyList<GpuCompleteness> ByHour(Snapshot snapshot, TimeRange range, string? hostId, string? gpuId, DateTimeOffset now)
    {
        var first = Hours.Of(StoreTime.Ceiling(range.Start));
        var last = Hours.Of(Math.Min(StoreTime.Ceiling(range.End), now.ToUnixTimeMilliseconds() + 1) - 1);
        if (last < first)
            return [];
        var filter = SeriesFilter.Of(snapshot, hostId, gpuId);
        var gpus = new Dictionary<(string HostId, string GpuId), Gpu>();
        foreach (var (series, totals) in RangeTotals.Of(snapshot, filter, Hours.Start(first), Hours.End(last), [], RangeDetail.Hours))
        {
            var labels = snapshot.LabelsOf(series);
            ref var gpu = ref CollectionsMarshal.GetValueRefOrAddDefault(gpus, (labels.HostId, labels.GpuId), out _);
            gpu ??= new Gpu();
            gpu.Cadence.Add(totals.Cadence);
            foreach (var (hour, rows) in totals.RowsOfHours)
                gpu.Rows[hour] = gpu.Rows.GetValueOrDefault(hour) + rows;
        }
        var firstSeen = FleetQueries.FirstSeen(snapshot);
        // One that was silent in the whole range is told as well: it was seen before.
        foreach (var (key, seen) in firstSeen)
        {
            if (seen < Hours.End(last) && (hostId ?? key.HostId) == key.HostId && (gpuId ?? key.GpuId) == key.GpuId)
                gpus.TryAdd(key, new Gpu());
        }
        return [.. gpus.OrderBy(g => g.Key.HostId, StringComparer.Ordinal).ThenBy(g => g.Key.GpuId, GpuOrder.Instance)
            .Select(g => new GpuCompleteness(g.Key.HostId, g.Key.GpuId, g.Value.Cadence.UsualInterval() is { } interval ? TimeSpan.FromMilliseconds(interval) : null,
                OfHours(g.Value, first, last, firstSeen[g.Key], now.ToUnixTimeMilliseconds())))];
    }

    private static List<HourCompleteness> OfHours(Gpu gpu, long first, long last, long firstSeen, long now)
    {
        var hours = new List<HourCompleteness>();
        var interval = gpu.Cadence.UsualInterval();
        for (var hour = Math.Max(first, Hours.Of(firstSeen)); hour <= last; hour++)
        {
            var rows = gpu.Rows.GetValueOrDefault(hour);
            var due = Math.Min(Hours.End(hour), now) - Math.Max(Hours.Start(hour), firstSeen);
            hours.Add(new HourCompleteness(StoreTime.From(Hours.Start(hour)), rows, interval is { } usual ? Math.Max(due / usual, 0) : null));
        }
        return hours;
    }
}
