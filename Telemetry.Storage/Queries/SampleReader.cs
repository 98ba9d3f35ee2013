using Telemetry.Storage.History;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>A series: one set of labels, and the times of its first and last record in milliseconds.</summary>
public sealed record SampleSeries(long Id, GpuLabels Labels, long FirstUnixMs, long LastUnixMs);

/// <summary>
/// The samples of the store at one moment, for those who compute on them: series by series, so that only one is in memory.
/// Usable only within the work that <see cref="TelemetryReader.SamplesAsync"/> runs, and by one thread.
/// </summary>
public sealed class SampleReader : IDisposable
{
    private readonly Snapshot _snapshot;
    private readonly Statement _rows;

    internal SampleReader(Snapshot snapshot)
    {
        _snapshot = snapshot;
        _rows = snapshot.Database.Prepare("SELECT rows FROM gpu_hour WHERE hour = ?1 AND gpu = ?2");
    }

    /// <summary>The names of all metrics, in alphabetical order.</summary>
    public IReadOnlyList<string> Metrics => _snapshot.MetricsAmong(null);

    /// <summary>Ends long computations.</summary>
    public CancellationToken Stop => _snapshot.Database.Cancellation;

    /// <summary>The series that may have records with times in [start, end), by host and GPU.</summary>
    /// <param name="hostId">Only of this host; null for all.</param>
    /// <param name="gpuId">Only of this GPU index; null for all.</param>
    /// <param name="startUnixMs">From this time on, milliseconds.</param>
    /// <param name="endUnixMs">Before this time.</param>
    public IReadOnlyList<SampleSeries> Series(string? hostId, string? gpuId, long startUnixMs, long endUnixMs)
    {
        using var select = _snapshot.Database.Prepare($"""
            SELECT g.host_id, g.gpu_id, g.uuid, g.model, g.device, g.pod, g.namespace, g.container, g.id, l.first_time, l.time
            FROM latest AS l JOIN gpu AS g ON g.id = l.gpu WHERE {SeriesFilter.Where(hostId, gpuId)} AND l.time >= ?3 AND l.first_time < ?4
            """);
        SeriesFilter.BindWhere(select, hostId, gpuId);
        select.Bind(3, startUnixMs).Bind(4, endUnixMs);
        var series = new List<SampleSeries>();
        while (select.Step())
            series.Add(new SampleSeries(select.Long(8), Snapshot.ReadLabels(select, 0), select.Long(9), select.Long(10)));
        return [.. series.OrderBy(s => s.Labels.HostId, StringComparer.Ordinal).ThenBy(s => s.Labels.GpuId, GpuOrder.Instance).ThenBy(s => s.Id)];
    }

    /// <summary>Samples of a metric with times in [start, end).</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="hostId">Only of this host; null for all.</param>
    /// <param name="gpuId">Only of this GPU index; null for all.</param>
    /// <param name="startUnixMs">From this time on, milliseconds.</param>
    /// <param name="endUnixMs">Before this time.</param>
    public SampleSelection Select(string metric, string? hostId, string? gpuId, long startUnixMs, long endUnixMs) =>
        new(this, _snapshot, metric, SeriesFilter.Of(_snapshot, hostId, gpuId), Series(hostId, gpuId, startUnixMs, endUnixMs), startUnixMs, endUnixMs);

    /// <summary>Which of some metrics each of some series has, in the hours that [start, end) touches.</summary>
    public IReadOnlyDictionary<long, IReadOnlySet<string>> MetricsOf(
        IReadOnlyList<SampleSeries> series, IReadOnlyList<string> metrics, long startUnixMs, long endUnixMs)
    {
        var names = _snapshot.MetricsAmong(metrics);
        var found = series.ToDictionary(s => s.Id, _ => new HashSet<string>(StringComparer.Ordinal));
        if (found.Count > 0 && names.Count > 0)
        {
            AddHistory(found, names, Math.Max(startUnixMs, series.Min(s => s.FirstUnixMs)), Math.Min(endUnixMs, series.Max(s => s.LastUnixMs) + 1));
            AddPlain(found, names, startUnixMs, endUnixMs);
        }
        return found.ToDictionary(f => f.Key, f => (IReadOnlySet<string>)f.Value);
    }

    /// <summary>The records of a series in an hour, whether they are kept or only their roll-ups.</summary>
    internal long RowsOf(long hour, long series)
    {
        var rows = _rows.Bind(1, hour).Bind(2, series).Step() ? _rows.Long(0) : 0;
        _rows.Reset();
        return rows;
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    // From the newest hour on: most series have all of their metrics there, and are not looked for any more.
    private void AddHistory(Dictionary<long, HashSet<string>> found, IReadOnlyList<string> names, long start, long end)
    {
        using var hours = new HourTable(_snapshot.Database, SeriesFilter.All);
        var missing = found.Keys.ToHashSet();
        var rollup = new GpuHour();
        foreach (var hour in hours.Hours(Hours.Of(start), Hours.Of(end - 1)).Reverse())
        {
            if (missing.Count == 0)
                return;
            hours.Begin(hour);
            while (hours.Read())
            {
                if (!missing.Contains(hours.Gpu))
                    continue;
                hours.ReadTo(rollup, _snapshot.MetricIds.Count);
                var metrics = found[hours.Gpu];
                foreach (var name in names)
                {
                    if (_snapshot.MetricIds.Of(name) is >= 0 and var id && rollup.Totals[id].Count > 0)
                        metrics.Add(name);
                }
                if (metrics.Count == names.Count)
                    missing.Remove(hours.Gpu);
            }
        }
    }

    private void AddPlain(Dictionary<long, HashSet<string>> found, IReadOnlyList<string> names, long start, long end)
    {
        using var scan = new SampleScan(_snapshot, SeriesFilter.All, start, end, names);
        while (scan.Read())
        {
            if (!found.TryGetValue(scan.Series, out var metrics) || metrics.Count == names.Count)
                continue;
            for (var i = 0; i < names.Count; i++)
            {
                if (scan.TryGet(i, out _))
                    metrics.Add(names[i]);
            }
        }
    }
}
