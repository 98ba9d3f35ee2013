using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>What a listener wants to hear; listeners that want the same get the same events.</summary>
/// <param name="HostId">Only this host; null for all.</param>
/// <param name="GpuId">Only this GPU index; null for all.</param>
/// <param name="Metrics">Only these metrics, in alphabetical order and separated by commas; null for all.</param>
/// <param name="Interval">The time in which there is at most one event, with the newest record of each GPU; zero for every record.</param>
internal sealed record LiveFilter(string? HostId, string? GpuId, string? Metrics, TimeSpan Interval)
{
    /// <summary>Whether only the newest record of each GPU counts.</summary>
    public bool IsConflated => Interval > TimeSpan.Zero;

    /// <summary>The metrics' names; null for all.</summary>
    public static string? NamesOf(IReadOnlyList<string>? metrics) => metrics is null ? null : string.Join(',', metrics.Order(StringComparer.Ordinal));

    /// <summary>Whether a record is of the host and GPU.</summary>
    public bool Matches(TelemetryRow row) =>
        (HostId is null || HostId == row.Gpu.HostId) && (GpuId is null || GpuId == row.Gpu.GpuId);
}
