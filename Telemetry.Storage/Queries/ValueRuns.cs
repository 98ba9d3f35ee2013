using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Events that a metric tells by its values, such as the codes of errors: records one after the other with the same value,
/// other than 0, are one. A record without the metric ends it as a 0 does.
/// </summary>
internal static class ValueRuns
{
    /// <summary>The runs of all GPUs in a range, by GPU and time.</summary>
    public static IReadOnlyList<ValueRun> Of(Snapshot snapshot, string metric, TimeRange range)
    {
        if (snapshot.MetricsAmong([metric]).Count == 0)
            return [];
        var (start, end) = (StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End));
        var values = new Dictionary<long, List<(long Time, double Value)>>();
        AddHistory(snapshot, metric, start, end, values);
        AddPlain(snapshot, metric, start, end, values);
        var gpus = values.GroupBy(v => Key(snapshot.LabelsOf(v.Key)));
        return [.. gpus.OrderBy(g => g.Key.HostId, StringComparer.Ordinal).ThenBy(g => g.Key.GpuId, GpuOrder.Instance)
            .SelectMany(g => Runs(g.Key, g.SelectMany(s => s.Value).OrderBy(v => v.Time)))];
    }

    private static GpuKey Key(GpuLabels labels) => new(labels.HostId, labels.GpuId);

    private static void AddHistory(Snapshot snapshot, string metric, long start, long end, Dictionary<long, List<(long, double)>> values)
    {
        var id = snapshot.MetricIds.Of(metric);
        if (id < 0)
            return;
        var rows = new ChunkRows(snapshot.Chunks, [id]);
        var rollup = new GpuHour();
        using var hours = new HourTable(snapshot.Database, SeriesFilter.All);
        foreach (var hour in hours.Hours(Hours.Of(start), Hours.Of(end - 1)))
        {
            var eventful = new List<long>();
            hours.Begin(hour);
            while (hours.Read())
            {
                hours.ReadTo(rollup, snapshot.MetricIds.Count);
                var totals = rollup.Totals[id];
                if (totals.Count > 0 && (totals.Max != 0 || totals.Min != 0))
                    eventful.Add(hours.Gpu);
                else if (values.TryGetValue(hours.Gpu, out var before))
                    before.Add((Math.Max(start, rollup.FirstTime), 0)); // whatever there was has ended
            }
            foreach (var series in eventful)
            {
                foreach (var chunk in snapshot.Chunks.Of(ChunkLevel.Rows, hour, series))
                {
                    if (chunk.Overlaps(start, end))
                        AddRecords(rows, chunk, start, end, Of(values, series));
                }
            }
        }
    }

    private static void AddRecords(ChunkRows rows, in ChunkEntry chunk, long start, long end, List<(long, double)> values)
    {
        rows.Open(chunk);
        var (first, count) = rows.Within(start, end).GetOffsetAndLength(chunk.Rows);
        var of = rows.Values(0);
        for (var i = first; i < first + count; i++)
            values.Add((rows.Times[i], double.IsNaN(of[i]) ? 0 : of[i]));
    }

    private static void AddPlain(Snapshot snapshot, string metric, long start, long end, Dictionary<long, List<(long, double)>> values)
    {
        using var scan = new SampleScan(snapshot, SeriesFilter.All, start, end, [metric]);
        while (scan.Read())
        {
            if (scan.TryGet(0, out var value) && value != 0)
                Of(values, scan.Series).Add((scan.Time, value));
            else if (values.TryGetValue(scan.Series, out var before))
                before.Add((scan.Time, 0));
        }
    }

    private static List<(long, double)> Of(Dictionary<long, List<(long, double)>> values, long series)
    {
        if (!values.TryGetValue(series, out var of))
            values.Add(series, of = []);
        return of;
    }

    private static IEnumerable<ValueRun> Runs(GpuKey gpu, IEnumerable<(long Time, double Value)> values)
    {
        var (value, first, last, records) = (0.0, 0L, 0L, 0L);
        foreach (var next in values)
        {
            if (next.Value == value)
            {
                (last, records) = (next.Time, records + 1);
                continue;
            }
            if (value != 0)
                yield return new ValueRun(gpu, value, StoreTime.From(first), StoreTime.From(last), records);
            (value, first, last, records) = (next.Value, next.Time, next.Time, 1);
        }
        if (value != 0)
            yield return new ValueRun(gpu, value, StoreTime.From(first), StoreTime.From(last), records);
    }
}
