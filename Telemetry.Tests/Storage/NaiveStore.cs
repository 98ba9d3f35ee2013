using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

/// <summary>The reader's answers, worked out from a list of all rows in the plainest way: the oracle of the model test.</summary>
internal sealed partial class NaiveStore(DateTimeOffset now)
{
    private readonly List<ModelRow> _rows = [];
    private readonly List<GpuLabels> _series = []; // in the order in which they were first seen

    public IReadOnlyList<ModelRow> Rows => _rows;

    public void Add(IReadOnlyList<ModelRow> rows)
    {
        _rows.AddRange(rows);
        _series.AddRange(rows.Select(r => r.Gpu).Except(_series));
    }

    public IReadOnlyList<string> Metrics() => Names(_rows);

    public (List<(DateTimeOffset, GpuLabels, string)> Rows, int Total) Page(RowQuery query)
    {
        var matching = NewestFirst(_rows.Where(r => (query.HostId ?? r.Gpu.HostId) == r.Gpu.HostId && (query.GpuId ?? r.Gpu.GpuId) == r.Gpu.GpuId
            && (query.Start is not { } start || Time(r) >= start) && (query.End is not { } end || Time(r) < end))).ToList();
        var page = matching.Skip((int)query.Skip).Take(query.Limit)
            .Select(r => (Time(r), r.Gpu, Text(r.Values.Where(v => query.Metrics?.Contains(v.Key) ?? true)))).ToList();
        return (page, matching.Count);
    }

    public List<HostRow> Hosts() =>
        [.. _rows.GroupBy(r => r.Gpu.HostId).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new HostRow(g.Key, g.Select(r => r.Gpu.GpuId).Distinct().Count(), g.Min(Time), g.Max(Time)))];

    public List<GpuRow> Gpus(string host) =>
        [.. _rows.Where(r => r.Gpu.HostId == host).GroupBy(r => r.Gpu.GpuId).OrderBy(g => int.Parse(g.Key, System.Globalization.CultureInfo.InvariantCulture))
            .Select(g => new GpuRow(WrittenLast(g).First().Gpu, g.Min(Time), g.Max(Time)))];

    public List<(DateTimeOffset, GpuLabels, string, DateTimeOffset)> Latest() =>
        [.. _rows.GroupBy(r => (r.Gpu.HostId, Gpu: int.Parse(r.Gpu.GpuId, System.Globalization.CultureInfo.InvariantCulture))).OrderBy(g => g.Key)
            .Select(g => (Row: WrittenLast(g).First(), First: g.Min(Time)))
            .Select(g => (Time(g.Row), g.Row.Gpu, Text(g.Row.Values), g.First))];

    public List<AggregateGroup> Aggregate(TimeRange range, GroupBy groupBy, string? host, string? gpu) =>
        [.. In(range).Where(r => (host ?? r.Gpu.HostId) == r.Gpu.HostId && (gpu ?? r.Gpu.GpuId) == r.Gpu.GpuId)
            .GroupBy(r => (r.Gpu.HostId, Gpu: groupBy == GroupBy.GpuId ? r.Gpu.GpuId : null))
            .OrderBy(g => g.Key.HostId, StringComparer.Ordinal).ThenBy(g => g.Key.Gpu?.Length).ThenBy(g => g.Key.Gpu, StringComparer.Ordinal)
            .Select(g => new AggregateGroup(g.Key.HostId, g.Key.Gpu, g.Count(), Aggregates(g)))];

    public List<SeriesPoint> Series(string host, string gpu, string metric, TimeRange range, TimeSpan step) =>
        [.. In(range).Where(r => r.Gpu.HostId == host && r.Gpu.GpuId == gpu && r.Values.ContainsKey(metric))
            .GroupBy(r => (Time(r) - range.Start).Ticks / step.Ticks).OrderBy(g => g.Key)
            .Select(g => (g.Key, Total: Aggregates(g.Select(r => r with { Values = new() { [metric] = r.Values[metric] } }))[0]))
            .Select(b => new SeriesPoint(range.Start + (b.Key * step), b.Total.Count, b.Total.Avg, b.Total.Min, b.Total.Max, b.Total.Last))];

    public FleetSummary Summary(TimeRange range)
    {
        var rows = In(range).ToList();
        return new FleetSummary(rows.Select(r => r.Gpu.HostId).Distinct().Count(), rows.Select(Gpu).Distinct().Count(), rows.Count,
            Aggregates(rows), rows.Count == 0 ? null : Completeness(rows, range));
    }

    private double Completeness(List<ModelRow> rows, TimeRange range)
    {
        var gpus = rows.GroupBy(Gpu).Select(g => (g.Key, Rows: g.Count(), Interval: Interval(_rows.Where(r => Gpu(r) == g.Key && Touches(range, r))))).ToList();
        var usual = Median(gpus.Where(g => g.Interval is not null).Select(g => g.Interval!.Value));
        var until = now < range.End ? now : range.End;
        var due = gpus.Select(g =>
        {
            var first = _rows.Where(r => Gpu(r) == g.Key).Min(Time);
            var from = first < range.Start ? range.Start : first;
            var interval = g.Interval ?? usual;
            var expected = interval is null ? g.Rows : Math.Max((until - from).TotalMilliseconds / interval.Value, 1);
            return (Received: Math.Min(g.Rows, expected), Expected: expected);
        }).ToList();
        return due.Sum(d => d.Received) / due.Sum(d => d.Expected);
    }

    // The hours that the range touches, whole.
    private static bool Touches(TimeRange range, ModelRow row) =>
        Hour(row.Time) >= Hour(range.Start.ToUnixTimeMilliseconds()) && Hour(row.Time) <= Hour(range.End.ToUnixTimeMilliseconds() - 1);

    private static long Hour(long time) => (long)Math.Floor(time / 3_600_000.0);

    // From each record of a series to the next one written in the same hour; of sixteen sizes an octave, the mean of the median's.
    private static double? Interval(IEnumerable<ModelRow> rows)
    {
        var distances = rows.GroupBy(r => (r.Gpu, Hour(r.Time)))
            .SelectMany(g => g.Zip(g.Skip(1), (a, b) => (double)(b.Time - a.Time))).Where(d => d > 0)
            .GroupBy(d => (int)(Math.Log2(d) * 16)).OrderBy(g => g.Key).Select(g => (Count: g.Count(), Mean: g.Average())).ToList();
        var half = (distances.Sum(d => d.Count) + 1) / 2;
        foreach (var (count, mean) in distances)
        {
            half -= count;
            if (half <= 0)
                return mean;
        }
        return null;
    }

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count switch
        {
            0 => null,
            var n when n % 2 == 1 => sorted[n / 2],
            var n => (sorted[(n / 2) - 1] + sorted[n / 2]) / 2,
        };
    }

    private static (string, string) Gpu(ModelRow row) => (row.Gpu.HostId, row.Gpu.GpuId);

    private IEnumerable<ModelRow> In(TimeRange range) => _rows.Where(r => Time(r) >= range.Start && Time(r) < range.End);

    private List<MetricAggregate> Aggregates(IEnumerable<ModelRow> rows)
    {
        var list = rows.ToList();
        return [.. Names(list).Select(name =>
        {
            var with = list.Where(r => r.Values.ContainsKey(name)).ToList();
            var values = with.ConvertAll(r => r.Values[name]);
            return new MetricAggregate(name, values.Count, values.Sum(), values.Min(), values.Max(), NewestFirst(with).First().Values[name]);
        })];
    }

    private static List<string> Names(IEnumerable<ModelRow> rows) => [.. rows.SelectMany(r => r.Values.Keys).Distinct().Order(StringComparer.Ordinal)];

    // A stable sort of the reversed list: of equal times and series the one written last comes first.
    private IEnumerable<ModelRow> NewestFirst(IEnumerable<ModelRow> rows) =>
        rows.Reverse().OrderByDescending(r => r.Time).ThenByDescending(r => _series.IndexOf(r.Gpu));

    // The newest record of a GPU that has several series: by time, then by writing.
    private static IEnumerable<ModelRow> WrittenLast(IEnumerable<ModelRow> rows) => rows.Reverse().OrderByDescending(r => r.Time);

    private static DateTimeOffset Time(ModelRow row) => DateTimeOffset.FromUnixTimeMilliseconds(row.Time);

    public static string Text(IEnumerable<KeyValuePair<string, double>> values) =>
        string.Join(' ', values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}"));
}
