using System.Runtime.InteropServices;
using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>The samples of one metric in a range of time, read series by series.</summary>
public sealed class SampleSelection
{
    private readonly SampleReader _reader;
    private readonly Snapshot _snapshot;
    private readonly SeriesFilter _filter;
    private readonly string _metric;
    private readonly long _start;
    private readonly long _end;
    private readonly int _id;
    private readonly ChunkRows _rows;
    private readonly ChunkReader _chunk = new();
    private readonly Minutes _minutes = new();
    private readonly List<long> _hours;
    private Dictionary<long, List<(long Time, double Value)>>? _plain;

    internal SampleSelection(
        SampleReader reader, Snapshot snapshot, string metric, SeriesFilter filter, IReadOnlyList<SampleSeries> series, long start, long end)
    {
        (_reader, _snapshot, _metric, _filter, Series, _start, _end) = (reader, snapshot, metric, filter, series, start, end);
        _id = snapshot.MetricIds.Of(metric);
        _rows = new ChunkRows(snapshot.Chunks, [_id]);
        _hours = _id < 0 || series.Count == 0 ? [] : HoursOf(Math.Max(start, series.Min(s => s.FirstUnixMs)), Math.Min(end - 1, series.Max(s => s.LastUnixMs)));
    }

    /// <summary>The series that may have some, by host and GPU.</summary>
    public IReadOnlyList<SampleSeries> Series { get; }

    /// <summary>
    /// Reads the samples of a series. Of an hour whose records have left by age, they are the newest values of its minutes.
    /// </summary>
    public void Read(SampleSeries series, SampleList into)
    {
        into.Clear();
        var (first, last) = (Hours.Of(series.FirstUnixMs), Hours.Of(series.LastUnixMs));
        foreach (var hour in _hours)
        {
            if (hour >= first && hour <= last)
                AddHour(hour, series.Id, into);
        }
        // Rows that are plain were written after all that are folded.
        if (Plain().TryGetValue(series.Id, out var plain))
        {
            foreach (var (time, value) in plain)
                into.Add(time, value);
        }
        into.Order();
    }

    private List<long> HoursOf(long first, long last)
    {
        using var hours = new HourTable(_snapshot.Database, SeriesFilter.All);
        return [.. hours.Hours(Hours.Of(first), Hours.Of(last))];
    }

    private void AddHour(long hour, long series, SampleList into)
    {
        var chunks = _snapshot.Chunks.Of(ChunkLevel.Rows, hour, series);
        var kept = 0L;
        foreach (var chunk in chunks)
            kept += chunk.Rows;
        var isKept = kept == _reader.RowsOf(hour, series);
        if (!isKept)
            AddMinutes(hour, series, into);
        foreach (var chunk in chunks)
        {
            // What is a part is not in the minutes yet.
            if ((isKept || chunk.IsPart) && chunk.Overlaps(_start, _end))
                AddRows(chunk, into);
        }
    }

    private void AddRows(in ChunkEntry entry, SampleList into)
    {
        _rows.Open(entry);
        var within = _rows.Within(_start, _end);
        var times = _rows.Times[within];
        var values = _rows.Values(0)[within];
        for (var i = 0; i < times.Length; i++)
        {
            if (!double.IsNaN(values[i]))
                into.Add(times[i], values[i]);
        }
    }

    private void AddMinutes(long hour, long series, SampleList into)
    {
        foreach (var entry in _snapshot.Chunks.Of(ChunkLevel.Minutes, hour, series))
        {
            _chunk.Open(_snapshot.Chunks.Bytes(entry));
            _minutes.Read(_chunk, hour, _snapshot.MetricIds.Count, [_id]);
            foreach (var minute in _minutes.Totals(_id))
            {
                if (minute.Count > 0 && minute.LastTime >= _start && minute.LastTime < _end)
                    into.Add(minute.LastTime, minute.Last);
            }
        }
    }

    private Dictionary<long, List<(long Time, double Value)>> Plain()
    {
        if (_plain is not null)
            return _plain;
        _plain = [];
        var metrics = _snapshot.MetricsAmong([_metric]);
        if (metrics.Count == 0)
            return _plain;
        using var scan = new SampleScan(_snapshot, _filter, _start, _end, metrics);
        while (scan.Read())
        {
            if (!scan.TryGet(0, out var value))
                continue;
            ref var samples = ref CollectionsMarshal.GetValueRefOrAddDefault(_plain, scan.Series, out _);
            samples ??= [];
            samples.Add((scan.Time, value));
        }
        return _plain;
    }
}
