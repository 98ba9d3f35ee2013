namespace Telemetry.Storage.Queries;

/// <summary>Which rows to export.</summary>
public sealed record ExportQuery
{
    /// <summary>Only this host; null for all.</summary>
    public string? HostId { get; init; }

    /// <summary>Only this GPU index; null for all.</summary>
    public string? GpuId { get; init; }

    /// <summary>From this time on.</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? End { get; init; }

    /// <summary>Only these metrics, and of them those that exist; null for all.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }
}
