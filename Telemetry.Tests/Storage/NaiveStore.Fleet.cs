using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

/// <summary>What insights, usage and events ask for.</summary>
internal sealed partial class NaiveStore
{
    public IEnumerable<GpuKey> Keys() => _rows.Select(Key).Distinct();

    public List<GpuRow> Labels(string host, string gpu) =>
        [.. _rows.Where(r => r.Gpu.HostId == host && r.Gpu.GpuId == gpu).GroupBy(r => r.Gpu)
            .Select(g => (g.Key, First: g.Min(Time), Newest: WrittenLast(g).First()))
            .OrderByDescending(g => g.Newest.Time).ThenByDescending(g => _rows.IndexOf(g.Newest))
            .Select(g => new GpuRow(g.Key, g.First, Time(g.Newest)))];

    /// <summary>For each GPU, the first record after the last one against the condition.</summary>
    public Dictionary<GpuKey, ConditionRun> Runs(MetricCondition condition, TimeRange range)
    {
        var runs = new Dictionary<GpuKey, ConditionRun>();
        foreach (var gpu in In(range).Where(r => r.Values.ContainsKey(condition.Metric)).GroupBy(Key))
        {
            var against = gpu.Where(r => !condition.Holds(r.Values[condition.Metric])).Select(r => r.Time).DefaultIfEmpty(long.MinValue).Max();
            if (gpu.Where(r => r.Time > against).ToList() is { Count: > 0 } after)
                runs.Add(gpu.Key, new ConditionRun(after.Min(Time), against == long.MinValue));
        }
        return runs;
    }

    public List<ValueRun> ValueRuns(string metric, TimeRange range)
    {
        var runs = new List<ValueRun>();
        foreach (var gpu in In(range).GroupBy(Key).OrderBy(g => g.Key.HostId, StringComparer.Ordinal).ThenBy(g => int.Parse(g.Key.GpuId, System.Globalization.CultureInfo.InvariantCulture)))
        {
            var before = 0.0;
            foreach (var (i, row) in gpu.OrderBy(r => r.Time).ThenBy(r => _series.IndexOf(r.Gpu)).Index())
            {
                var value = row.Values.GetValueOrDefault(metric);
                if (value != 0 && value == before)
                    runs[^1] = runs[^1] with { Last = Time(row), Records = runs[^1].Records + 1 };
                else if (value != 0)
                    runs.Add(new ValueRun(gpu.Key, value, Time(row), Time(row), 1, i == 0));
                before = value;
            }
        }
        return runs;
    }

    public List<string> GpuHours(TimeRange range, IReadOnlyList<string> metrics) =>
        [.. _rows.Where(r => Touches(range, r)).GroupBy(r => (Hour: Hour(r.Time), r.Gpu))
            .Select(g =>
            {
                var covered = Interval(g) is { } interval ? Math.Min(1, g.Count() * interval / 3_600_000) : 0;
                var averages = metrics.Select(m => g.Where(r => r.Values.ContainsKey(m)).Select(r => (double?)r.Values[m]).Average());
                return HourText(DateTimeOffset.FromUnixTimeMilliseconds(g.Key.Hour * 3_600_000), g.Key.Gpu, g.Count(), covered, averages);
            }).Order(StringComparer.Ordinal)];

    public static string HourText(DateTimeOffset start, GpuLabels gpu, long rows, double covered, IEnumerable<double?> averages) =>
        FormattableString.Invariant($"{start:O} {gpu} {rows} {covered:0.000000} {string.Join(' ', averages.Select(a => a?.ToString("0.000000", System.Globalization.CultureInfo.InvariantCulture) ?? "-"))}");

    private static GpuKey Key(ModelRow row) => new(row.Gpu.HostId, row.Gpu.GpuId);
}
