using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>The newest record of each GPU, where it is another one than was taken before.</summary>
internal sealed class NewestRecords
{
    private readonly Dictionary<(string HostId, string GpuId), DateTimeOffset> _times = [];
    private readonly Dictionary<(string HostId, string GpuId), TelemetryRow> _rows = [];

    /// <summary>Whether there is any.</summary>
    public bool Any => _rows.Count > 0;

    /// <summary>Adds a record that was written after those before; of those of one GPU the one with the latest time counts.</summary>
    public void Add(TelemetryRow row)
    {
        var gpu = (row.Gpu.HostId, row.Gpu.GpuId);
        if (_times.TryGetValue(gpu, out var newest) && row.Timestamp < newest)
            return;
        _times[gpu] = row.Timestamp;
        _rows[gpu] = row;
    }

    /// <summary>Takes them.</summary>
    public IReadOnlyCollection<TelemetryRow> Take()
    {
        TelemetryRow[] rows = [.. _rows.Values];
        _rows.Clear();
        return rows;
    }
}
