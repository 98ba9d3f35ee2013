using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>An hour of a GPU with one set of labels. The same object is used for each; take from it what is wanted.</summary>
public sealed class GpuHourTotals
{
    /// <summary>The start of the hour.</summary>
    public DateTimeOffset Start { get; internal set; }

    /// <summary>The GPU.</summary>
    public GpuLabels Gpu { get; internal set; } = null!;

    /// <summary>Its records in the hour.</summary>
    public long Rows { get; internal set; }

    /// <summary>How much of the hour they stand for, 0 to 1: the records times their usual distance.</summary>
    public double Covered { get; internal set; }

    /// <summary>The averages of the metrics that were asked for, in their order; null where the hour has none.</summary>
    public IReadOnlyList<double?> Averages { get; internal set; } = [];
}

/// <summary>Goes through the hours of all GPUs, by hour and series.</summary>
internal sealed class GpuHours
{
    private sealed class Plain(int metrics)
    {
        public long Rows { get; set; }

        /// <summary>Goes on from the folded records of the hour, with the distances of the plain ones alone.</summary>
        public GpuHour Times { get; } = new();

        public MetricTotals[] Totals { get; } = new MetricTotals[metrics];
    }

    private readonly Snapshot _snapshot;
    private readonly Action<GpuHourTotals> _each;
    private readonly GpuHourTotals _hour = new();
    private readonly double?[] _averages;
    private readonly int[] _ids;
    private readonly GpuHour _folded = new();
    private readonly Cadence _cadence = new();

    private GpuHours(Snapshot snapshot, IReadOnlyList<string> metrics, Action<GpuHourTotals> each)
    {
        (_snapshot, _each) = (snapshot, each);
        _ids = [.. metrics.Select(snapshot.MetricIds.Of)];
        _averages = new double?[metrics.Count];
        _hour.Averages = _averages;
    }

    /// <summary>Calls <paramref name="each"/> for every hour that the range touches, whole, and every series that has records in it.</summary>
    public static void Visit(Snapshot snapshot, TimeRange range, IReadOnlyList<string> metrics, Action<GpuHourTotals> each)
    {
        var visit = new GpuHours(snapshot, metrics, each);
        var (first, last) = (Hours.Of(StoreTime.Ceiling(range.Start)), Hours.Of(StoreTime.Ceiling(range.End) - 1));
        using var hours = new HourTable(snapshot.Database, SeriesFilter.All);
        var plain = visit.ReadPlain(hours, first, last, metrics);
        foreach (var hour in hours.Hours(first, last))
        {
            hours.Begin(hour);
            while (hours.Read())
            {
                hours.ReadTo(visit._folded, snapshot.MetricIds.Count);
                plain.Remove((hour, hours.Gpu), out var later);
                visit.Give(hour, hours.Gpu, later);
            }
        }
        foreach (var (key, only) in plain.OrderBy(p => p.Key))
        {
            visit._folded.Clear(key.Hour, snapshot.MetricIds.Count);
            visit.Give(key.Hour, key.Gpu, only);
        }
    }

    private Dictionary<(long Hour, long Gpu), Plain> ReadPlain(HourTable hours, long first, long last, IReadOnlyList<string> metrics)
    {
        var plain = new Dictionary<(long, long), Plain>();
        var known = _snapshot.MetricsAmong(metrics);
        var indexes = known.Select(name => metrics.ToList().IndexOf(name)).ToArray();
        using var scan = new SampleScan(_snapshot, SeriesFilter.All, Hours.Start(first), Hours.End(last), known);
        while (scan.Read())
        {
            ref var of = ref CollectionsMarshal.GetValueRefOrAddDefault(plain, (Hours.Of(scan.Time), scan.Series), out _);
            if (of is null)
            {
                of = new Plain(metrics.Count);
                hours.TryRead(Hours.Of(scan.Time), scan.Series, _snapshot.MetricIds.Count, of.Times);
                of.Times.Cadence.Clear();
            }
            of.Rows++;
            of.Times.AddTime(scan.Time);
            for (var i = 0; i < known.Count; i++)
            {
                if (scan.TryGet(i, out var value))
                    of.Totals[indexes[i]].Add(scan.Time, value);
            }
        }
        return plain;
    }

    private void Give(long hour, long gpu, Plain? later)
    {
        _cadence.Clear();
        _cadence.Add(_folded.Cadence);
        if (later is not null)
            _cadence.Add(later.Times.Cadence);
        for (var i = 0; i < _ids.Length; i++)
        {
            var totals = _ids[i] < 0 ? default : _folded.Totals[_ids[i]];
            if (later is not null)
                totals.Add(later.Totals[i]);
            _averages[i] = totals.Count > 0 ? totals.Sum / totals.Count : null;
        }
        _hour.Start = StoreTime.From(Hours.Start(hour));
        _hour.Gpu = _snapshot.LabelsOf(gpu);
        _hour.Rows = _folded.Rows + (later?.Rows ?? 0);
        // A single record has no distance to another: it stands for itself alone.
        _hour.Covered = _cadence.UsualInterval() is { } interval ? Math.Min(1, _hour.Rows * interval / Hours.MillisecondsOfHour) : 0;
        _each(_hour);
    }
}
