using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>Hosts, GPUs and the newest record of each.</summary>
internal static class FleetQueries
{
    private sealed record Seen(GpuLabels Gpu, long Series, long Time, long Row, long FirstTime);

    public static IReadOnlyList<HostRow> Hosts(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare("""
            SELECT g.host_id, count(DISTINCT g.gpu_id), min(l.first_time), max(l.time)
            FROM latest AS l JOIN gpu AS g ON g.id = l.gpu GROUP BY g.host_id ORDER BY g.host_id
            """);
        var hosts = new List<HostRow>();
        while (select.Step())
            hosts.Add(new HostRow(select.Text(0), select.Int(1), StoreTime.From(select.Long(2)), StoreTime.From(select.Long(3))));
        return hosts;
    }

    public static IReadOnlyList<GpuRow> Gpus(Snapshot snapshot, string hostId) =>
        [.. Newest(snapshot, hostId, null).Select(s => new GpuRow(s.Gpu, StoreTime.From(s.FirstTime), StoreTime.From(s.Time)))];

    public static IReadOnlyList<LatestRow> Latest(Snapshot snapshot, string? hostId, string? gpuId)
    {
        var metrics = snapshot.MetricsAmong(null);
        var columns = string.Concat(metrics.Select(m => $", \"{m}\""));
        using var select = snapshot.Database.Prepare($"SELECT row_id{columns} FROM sample WHERE row_id = ?1");
        var rows = new List<LatestRow>();
        using var kept = snapshot.Database.Prepare("SELECT metrics FROM latest WHERE gpu = ?1");
        foreach (var seen in Newest(snapshot, hostId, gpuId))
        {
            Dictionary<string, double> values;
            if (select.Bind(1, seen.Row).Step())
            {
                values = RowPages.ReadMetrics(select, 1, metrics);
                select.Reset();
            }
            else
            {
                kept.Bind(1, seen.Series).Step();
                values = LatestValues.Read(kept.Blob(0), snapshot.MetricIds, metrics);
                kept.Reset();
            }
            var row = new TelemetryRow(StoreTime.From(seen.Time), seen.Gpu, values);
            rows.Add(new LatestRow(row, StoreTime.From(seen.FirstTime)));
        }
        return rows;
    }

    public static IReadOnlyList<GpuRow> Labels(Snapshot snapshot, string hostId, string gpuId)
    {
        using var select = snapshot.Database.Prepare($"""
            SELECT g.host_id, g.gpu_id, g.uuid, g.model, g.device, g.pod, g.namespace, g.container, l.first_time, l.time
            FROM latest AS l JOIN gpu AS g ON g.id = l.gpu WHERE {SeriesFilter.Where(hostId, gpuId)} ORDER BY l.time DESC, l.row_id DESC
            """);
        SeriesFilter.BindWhere(select, hostId, gpuId);
        var labels = new List<GpuRow>();
        while (select.Step())
            labels.Add(new GpuRow(Snapshot.ReadLabels(select, 0), StoreTime.From(select.Long(8)), StoreTime.From(select.Long(9))));
        return labels;
    }

    /// <summary>When each GPU was seen first, milliseconds.</summary>
    public static Dictionary<(string HostId, string GpuId), long> FirstSeen(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare(
            "SELECT g.host_id, g.gpu_id, min(l.first_time) FROM latest AS l JOIN gpu AS g ON g.id = l.gpu GROUP BY g.host_id, g.gpu_id");
        var seen = new Dictionary<(string HostId, string GpuId), long>();
        while (select.Step())
            seen.Add((select.Text(0), select.Text(1)), select.Long(2));
        return seen;
    }

    /// <summary>For each host and GPU the newest of its series, by host and GPU.</summary>
    private static List<Seen> Newest(Snapshot snapshot, string? hostId, string? gpuId)
    {
        using var select = snapshot.Database.Prepare($"""
            SELECT g.host_id, g.gpu_id, g.uuid, g.model, g.device, g.pod, g.namespace, g.container, l.time, l.row_id, l.first_time, g.id
            FROM latest AS l JOIN gpu AS g ON g.id = l.gpu WHERE {SeriesFilter.Where(hostId, gpuId)}
            """);
        SeriesFilter.BindWhere(select, hostId, gpuId);
        var newest = new Dictionary<(string, string), Seen>();
        while (select.Step())
        {
            var seen = new Seen(Snapshot.ReadLabels(select, 0), select.Long(11), select.Long(8), select.Long(9), select.Long(10));
            var key = (seen.Gpu.HostId, seen.Gpu.GpuId);
            if (newest.TryGetValue(key, out var other))
            {
                var winner = (seen.Time, seen.Row).CompareTo((other.Time, other.Row)) > 0 ? seen : other;
                seen = winner with { FirstTime = Math.Min(seen.FirstTime, other.FirstTime) };
            }
            newest[key] = seen;
        }
        return [.. newest.Values.OrderBy(s => s.Gpu.HostId, StringComparer.Ordinal).ThenBy(s => s.Gpu.GpuId, GpuOrder.Instance)];
    }
}
