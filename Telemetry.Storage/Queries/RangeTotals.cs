using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>What is worked out besides the totals.</summary>
internal enum RangeDetail
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>How far apart the records are, in all of the hours that the range touches.</summary>
    Cadence,

    /// <summary>The same, and how many records each of these hours has.</summary>
    Hours,
}

/// <summary>What the records of one series in a range add up to.</summary>
internal sealed class SeriesTotals(int metrics)
{
    public long Rows { get; set; }

    public MetricTotals[] Metrics { get; } = new MetricTotals[metrics];

    /// <summary>How far apart the records are, in all of the hours that the range touches.</summary>
    public Cadence Cadence { get; } = new();

    /// <summary>The records of each hour that the range touches, with <see cref="RangeDetail.Hours"/>.</summary>
    public Dictionary<long, long> RowsOfHours { get; } = [];
}

/// <summary>
/// The totals of each series in a range of time. Hours that lie in it are taken from their roll-up, what the range cuts off
/// from minutes where it cuts between two, and otherwise from the records; then the plain rows follow.
/// </summary>
internal sealed class RangeTotals
{
    private readonly Snapshot _snapshot;
    private readonly SeriesFilter _filter;
    private readonly IReadOnlyList<int> _ids;
    private readonly ChunkRows _rows;
    private readonly ChunkReader _chunk = new();
    private readonly Minutes _minutes = new();
    private readonly Dictionary<long, SeriesTotals> _series = [];
    private readonly RangeDetail _detail;
    private readonly long _start;
    private readonly long _end;

    private RangeTotals(Snapshot snapshot, SeriesFilter filter, long start, long end, IReadOnlyList<string> metrics, RangeDetail detail)
    {
        (_snapshot, _filter, _start, _end, _detail) = (snapshot, filter, start, end, detail);
        _ids = [.. metrics.Select(snapshot.MetricIds.Of)];
        _rows = new ChunkRows(snapshot.Chunks, _ids);
    }

    /// <summary>Adds up.</summary>
    /// <param name="snapshot">The store.</param>
    /// <param name="filter">Which series.</param>
    /// <param name="start">From this time on, milliseconds.</param>
    /// <param name="end">Before this time.</param>
    /// <param name="metrics">Which metrics; from <see cref="Snapshot.MetricsAmong"/>.</param>
    /// <param name="detail">What else is wanted.</param>
    /// <returns>The series in the order of their keys; some may have no records in the range.</returns>
    public static IReadOnlyList<KeyValuePair<long, SeriesTotals>> Of(
        Snapshot snapshot, SeriesFilter filter, long start, long end, IReadOnlyList<string> metrics, RangeDetail detail = RangeDetail.None)
    {
        if (filter.IsEmpty)
            return [];
        var totals = new RangeTotals(snapshot, filter, start, end, metrics, detail);
        totals.AddHistory();
        totals.AddPlain(metrics);
        return [.. totals._series.OrderBy(s => s.Key)];
    }

    private void AddHistory()
    {
        using var hours = new HourTable(_snapshot.Database, _filter);
        var withCadence = _detail != RangeDetail.None;
        var rollup = new GpuHour();
        var cut = new Dictionary<long, long>();
        var (first, last) = (Math.Max(_start, _filter.MinTime), Math.Min(_end - 1, _filter.MaxTime));
        foreach (var hour in hours.Hours(Hours.Of(first), Hours.Of(last)))
        {
            cut.Clear();
            hours.Begin(hour);
            while (hours.Read())
            {
                var isWithin = hours.FirstTime >= _start && hours.LastTime < _end;
                var series = isWithin || withCadence ? Series(hours.Gpu) : null;
                if (series is not null)
                    hours.ReadTo(rollup, _snapshot.MetricIds.Count, withCadence ? series.Cadence : null);
                if (_detail == RangeDetail.Hours)
                    AddOfHour(series!, hour, hours.Rows);
                if (isWithin)
                    Add(series!, rollup);
                else if (hours.LastTime >= _start && hours.FirstTime < _end)
                    cut.Add(hours.Gpu, hours.Rows);
            }
            if (cut.Count > 0)
                AddCut(hour, cut);
        }
    }

    private void Add(SeriesTotals series, GpuHour rollup)
    {
        series.Rows += rollup.Rows;
        for (var i = 0; i < _ids.Count; i++)
        {
            if (_ids[i] >= 0)
                series.Metrics[i].Add(rollup.Totals[_ids[i]]);
        }
    }

    /// <summary>Adds the part of an hour that lies in the range, of series that also have records outside of it.</summary>
    private void AddCut(long hour, Dictionary<long, long> cut)
    {
        var start = Math.Max(_start, Hours.Start(hour));
        var end = Math.Min(_end, Hours.End(hour));
        var betweenMinutes = start % Hours.MillisecondsOfMinute == 0 && end % Hours.MillisecondsOfMinute == 0;
        var minutes = _snapshot.Chunks.Of(ChunkLevel.Minutes, hour, _filter).ToDictionary(m => m.Gpu);
        var records = _snapshot.Chunks.Of(ChunkLevel.Rows, hour, _filter).ToLookup(c => c.Gpu);
        foreach (var (gpu, rows) in cut)
        {
            var series = Series(gpu);
            var chunks = records[gpu];
            // Once its records have left by age, an hour has only its minutes.
            var useMinutes = minutes.TryGetValue(gpu, out var entry) && (betweenMinutes || chunks.Sum(c => (long)c.Rows) != rows);
            if (useMinutes)
                AddMinutes(series, entry, start, end);
            foreach (var chunk in chunks.Where(c => (c.IsPart || !useMinutes) && c.Overlaps(start, end)))
                AddRows(series, chunk, start, end);
        }
    }

    private void AddMinutes(SeriesTotals series, in ChunkEntry entry, long start, long end)
    {
        _chunk.Open(_snapshot.Chunks.Bytes(entry));
        _minutes.Read(_chunk, entry.Hour, _snapshot.MetricIds.Count, _ids);
        for (var minute = 0; minute < Minutes.OfHour; minute++)
        {
            var from = _minutes.Start(minute);
            if (from < start || from + Hours.MillisecondsOfMinute > end)
                continue;
            series.Rows += _minutes.Rows(minute);
            for (var i = 0; i < _ids.Count; i++)
            {
                if (_ids[i] >= 0)
                    series.Metrics[i].Add(_minutes.Totals(_ids[i])[minute]);
            }
        }
    }

    private void AddRows(SeriesTotals series, in ChunkEntry entry, long start, long end)
    {
        _rows.Open(entry);
        var (first, count) = _rows.Within(start, end).GetOffsetAndLength(entry.Rows);
        series.Rows += count;
        for (var i = 0; i < _ids.Count; i++)
        {
            var values = _rows.Values(i);
            for (var row = first; row < first + count; row++)
            {
                if (!double.IsNaN(values[row]))
                    series.Metrics[i].Add(_rows.Times[row], values[row]);
            }
        }
    }

    private void AddPlain(IReadOnlyList<string> metrics)
    {
        var cadences = new Dictionary<(long Hour, long Gpu), GpuHour>();
        using var hours = new HourTable(_snapshot.Database, SeriesFilter.All);
        var withCadence = _detail != RangeDetail.None;
        // The distances are those of whole hours, as they are in the roll-ups.
        var (start, end) = withCadence ? (Hours.Start(Hours.Of(_start)), Hours.End(Hours.Of(_end - 1))) : (_start, _end);
        using var scan = new SampleScan(_snapshot, _filter, start, end, metrics);
        while (scan.Read())
        {
            var (time, gpu) = (scan.Time, scan.Series);
            var series = Series(gpu);
            if (withCadence)
                AddDistance(hours, cadences, time, gpu);
            if (_detail == RangeDetail.Hours)
                AddOfHour(series, Hours.Of(time), 1);
            if (time < _start || time >= _end)
                continue;
            series.Rows++;
            for (var i = 0; i < metrics.Count; i++)
            {
                if (scan.TryGet(i, out var value))
                    series.Metrics[i].Add(time, value);
            }
        }
        foreach (var (key, hour) in cadences)
            Series(key.Gpu).Cadence.Add(hour.Cadence);
    }

    private static void AddOfHour(SeriesTotals series, long hour, long rows) =>
        CollectionsMarshal.GetValueRefOrAddDefault(series.RowsOfHours, hour, out _) += rows;

    private void AddDistance(HourTable hours, Dictionary<(long, long), GpuHour> cadences, long time, long gpu)
    {
        ref var hour = ref CollectionsMarshal.GetValueRefOrAddDefault(cadences, (Hours.Of(time), gpu), out _);
        if (hour is null)
        {
            hour = new GpuHour();
            hours.TryRead(Hours.Of(time), gpu, _snapshot.MetricIds.Count, hour);
            hour.Cadence.Clear(); // that of the folded records is there already
        }
        hour.AddTime(time);
    }

    private SeriesTotals Series(long gpu)
    {
        ref var series = ref CollectionsMarshal.GetValueRefOrAddDefault(_series, gpu, out _);
        return series ??= new SeriesTotals(_ids.Count);
    }
}
