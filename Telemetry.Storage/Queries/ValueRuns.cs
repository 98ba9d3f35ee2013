using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Events that a metric tells by its values, such as the codes of errors: records of a GPU one after the other with the same
/// value, other than 0, are one. A record without the metric ends it as a 0 does.
/// </summary>
internal static class ValueRuns
{
    private readonly record struct Observed(long Time, long Series, double Value);

    /// <summary>The runs of all GPUs in a range, by GPU and time.</summary>
    public static IReadOnlyList<ValueRun> Of(Snapshot snapshot, string metric, TimeRange range)
    {
        if (snapshot.MetricsAmong([metric]).Count == 0)
            return [];
        var (start, end) = (StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End));
        // Most GPUs have no event: the records of those that have some are read, and no others.
        return [.. Eventful(snapshot, metric, start, end)
            .OrderBy(g => g.HostId, StringComparer.Ordinal).ThenBy(g => g.GpuId, GpuOrder.Instance)
            .SelectMany(gpu => Runs(gpu, Values(snapshot, gpu, metric, start, end)))];
    }

    private static HashSet<GpuKey> Eventful(Snapshot snapshot, string metric, long start, long end)
    {
        var eventful = new HashSet<long>();
        if (snapshot.MetricIds.Of(metric) is >= 0 and var id)
        {
            var rollup = new GpuHour();
            using var hours = new HourTable(snapshot.Database, SeriesFilter.All);
            foreach (var hour in hours.Hours(Hours.Of(start), Hours.Of(end - 1)))
            {
                hours.Begin(hour);
                while (hours.Read())
                {
                    hours.ReadTo(rollup, snapshot.MetricIds.Count);
                    if (rollup.Totals[id] is { Count: > 0 } totals && (totals.Max != 0 || totals.Min != 0))
                        eventful.Add(hours.Gpu);
                }
            }
        }
        using var scan = new SampleScan(snapshot, SeriesFilter.All, start, end, [metric]);
        while (scan.Read())
        {
            if (scan.TryGet(0, out var value) && value != 0)
                eventful.Add(scan.Series);
        }
        return [.. eventful.Select(snapshot.LabelsOf).Select(labels => new GpuKey(labels.HostId, labels.GpuId))];
    }

    /// <summary>The values of all records in the order of time, 0 where there is none; of equal times by series and writing.</summary>
    private static IEnumerable<Observed> Values(Snapshot snapshot, GpuKey gpu, string metric, long start, long end)
    {
        var values = new List<Observed>();
        var filter = SeriesFilter.Of(snapshot, gpu.HostId, gpu.GpuId);
        var rows = new ChunkRows(snapshot.Chunks, [snapshot.MetricIds.Of(metric)]);
        var (first, last) = (Hours.Of(Math.Max(start, filter.MinTime)), Hours.Of(Math.Min(end - 1, filter.MaxTime)));
        foreach (var hour in snapshot.Chunks.Hours(ChunkLevel.Rows, first, last))
        {
            foreach (var chunk in snapshot.Chunks.Of(ChunkLevel.Rows, hour, filter).Where(c => c.Overlaps(start, end)))
            {
                rows.Open(chunk);
                var (from, count) = rows.Within(start, end).GetOffsetAndLength(chunk.Rows);
                var of = rows.Values(0);
                for (var i = from; i < from + count; i++)
                    values.Add(new Observed(rows.Times[i], chunk.Gpu, double.IsNaN(of[i]) ? 0 : of[i]));
            }
        }
        using var scan = new SampleScan(snapshot, filter, start, end, [metric]);
        while (scan.Read())
            values.Add(new Observed(scan.Time, scan.Series, scan.TryGet(0, out var value) ? value : 0));
        return values.OrderBy(v => v.Time).ThenBy(v => v.Series);
    }

    private static IEnumerable<ValueRun> Runs(GpuKey gpu, IEnumerable<Observed> values)
    {
        var (value, first, last, records, before) = (0.0, 0L, 0L, 0L, 0L);
        foreach (var next in values)
        {
            if (next.Value == value)
            {
                (last, records) = (next.Time, records + 1);
                continue;
            }
            if (value != 0)
                yield return Run();
            before += records;
            (value, first, last, records) = (next.Value, next.Time, next.Time, 1);
        }
        if (value != 0)
            yield return Run();

        ValueRun Run() => new(gpu, value, StoreTime.From(first), StoreTime.From(last), records, before == 0);
    }
}
