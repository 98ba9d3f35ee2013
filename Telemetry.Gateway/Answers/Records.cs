using System.Text.Json.Serialization;
using Telemetry.Gateway.Fleet;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Answers;

/// <summary>A record: when, which GPU, and the metrics that were measured.</summary>
public record TelemetryRecord
{
    /// <summary>When it was observed, in UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host, as the source writes it.</summary>
    public required string GpuId { get; init; }

    /// <summary>The GPU's UUID; null where the source does not say, as for the labels that follow.</summary>
    public required string? Uuid { get; init; }

    /// <summary>The GPU's model name.</summary>
    public required string? Model { get; init; }

    /// <summary>The device's name on the host.</summary>
    public required string? Device { get; init; }

    /// <summary>The Kubernetes pod that held the GPU.</summary>
    public required string? Pod { get; init; }

    /// <summary>That pod's namespace.</summary>
    public required string? Namespace { get; init; }

    /// <summary>That pod's container.</summary>
    public required string? Container { get; init; }

    /// <summary>Values by metric. What was not measured is not here, and never 0.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    internal static TelemetryRecord Of(TelemetryRow row) => new()
    {
        Timestamp = row.Timestamp,
        HostId = row.Gpu.HostId,
        GpuId = row.Gpu.GpuId,
        Uuid = Label(row.Gpu.Uuid),
        Model = Label(row.Gpu.Model),
        Device = Label(row.Gpu.Device),
        Pod = Label(row.Gpu.Pod),
        Namespace = Label(row.Gpu.Namespace),
        Container = Label(row.Gpu.Container),
        Metrics = row.Metrics,
    };

    internal static string? Label(string label) => label.Length == 0 ? null : label;
}

/// <summary>Which part of all matching records a page is.</summary>
public sealed record Pagination
{
    /// <summary>The page, from 1; null where a cursor was given.</summary>
    public required int? Page { get; init; }

    /// <summary>The most records in a page.</summary>
    public required int PageSize { get; init; }

    /// <summary>All records that match; where a cursor was given, all that matched on the first page.</summary>
    public required long Total { get; init; }

    /// <summary>All pages of this size.</summary>
    public required long TotalPages { get; init; }

    /// <summary>Whether there are older records.</summary>
    public required bool HasNext { get; init; }

    /// <summary>The cursor of the next page; null on the last.</summary>
    public required string? NextCursor { get; init; }
}

/// <summary>A page of records, newest first.</summary>
public sealed record RecordsAnswer
{
    /// <summary>The records.</summary>
    public required IReadOnlyList<TelemetryRecord> Data { get; init; }

    /// <summary>Which part of all.</summary>
    public required Pagination Pagination { get; init; }
}

/// <summary>The newest record of a GPU.</summary>
public sealed record LatestGpu : TelemetryRecord
{
    /// <summary>Seconds since the record's time, at least 0.</summary>
    [JsonPropertyOrder(1)]
    public required double AgeSeconds { get; init; }

    /// <summary>What the GPU is doing.</summary>
    [JsonPropertyOrder(1)]
    public required GpuState State { get; init; }

    internal static TimeSpan Age(LatestRow latest, DateTimeOffset now)
    {
        var age = now - latest.Row.Timestamp;
        return age < TimeSpan.Zero ? TimeSpan.Zero : age;
    }

    internal static LatestGpu Of(LatestRow latest, FleetRules rules, DateTimeOffset now)
    {
        var age = Age(latest, now);
        var row = latest.Row;
        return new LatestGpu
        {
            Timestamp = row.Timestamp,
            HostId = row.Gpu.HostId,
            GpuId = row.Gpu.GpuId,
            Uuid = Label(row.Gpu.Uuid),
            Model = Label(row.Gpu.Model),
            Device = Label(row.Gpu.Device),
            Pod = Label(row.Gpu.Pod),
            Namespace = Label(row.Gpu.Namespace),
            Container = Label(row.Gpu.Container),
            Metrics = row.Metrics,
            AgeSeconds = Math.Round(age.TotalSeconds, 3),
            State = GpuStates.Of(rules, row.Metrics, age),
        };
    }
}

/// <summary>The newest record of every GPU.</summary>
public sealed record LatestAnswer
{
    /// <summary>The records, by host and GPU.</summary>
    public required IReadOnlyList<LatestGpu> Data { get; init; }

    /// <summary>How many GPUs there are.</summary>
    public required int Total { get; init; }
}

/// <summary>A host.</summary>
public sealed record KnownHost
{
    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>How many GPUs of it have been seen.</summary>
    public required int GpuCount { get; init; }

    /// <summary>The time of its oldest record.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of its newest record.</summary>
    public required DateTimeOffset LastSeen { get; init; }
}

/// <summary>All hosts.</summary>
public sealed record HostsAnswer
{
    /// <summary>The hosts, by name.</summary>
    public required IReadOnlyList<KnownHost> Data { get; init; }

    /// <summary>How many hosts there are.</summary>
    public required int Total { get; init; }
}

/// <summary>A GPU with its newest labels.</summary>
public sealed record KnownGpu
{
    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host.</summary>
    public required string GpuId { get; init; }

    /// <summary>The GPU's UUID; null where the source does not say, as for the labels that follow.</summary>
    public required string? Uuid { get; init; }

    /// <summary>The GPU's model name.</summary>
    public required string? Model { get; init; }

    /// <summary>The device's name on the host.</summary>
    public required string? Device { get; init; }

    /// <summary>The Kubernetes pod that held the GPU last.</summary>
    public required string? Pod { get; init; }

    /// <summary>That pod's namespace.</summary>
    public required string? Namespace { get; init; }

    /// <summary>That pod's container.</summary>
    public required string? Container { get; init; }

    /// <summary>The time of its oldest record.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of its newest record.</summary>
    public required DateTimeOffset LastSeen { get; init; }
}

/// <summary>A host's GPUs.</summary>
public sealed record GpusAnswer
{
    /// <summary>The GPUs, by index.</summary>
    public required IReadOnlyList<KnownGpu> Data { get; init; }

    /// <summary>How many GPUs the host has.</summary>
    public required int Total { get; init; }
}
