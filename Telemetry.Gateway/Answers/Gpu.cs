using System.Text.Json.Serialization;
using Telemetry.Gateway.Fleet;

namespace Telemetry.Gateway.Answers;

/// <summary>What happened to a GPU.</summary>
public enum EventKind
{
    /// <summary>An XID was reported.</summary>
    [JsonStringEnumMemberName("xid")]
    Xid,

    /// <summary>Its clock was lowered.</summary>
    [JsonStringEnumMemberName("throttle")]
    Throttle,

    /// <summary>A counter of errors rose.</summary>
    [JsonStringEnumMemberName("ecc")]
    Ecc,

    /// <summary>It did not report.</summary>
    [JsonStringEnumMemberName("silence")]
    Silence,

    /// <summary>Its labels changed, as when another pod takes it.</summary>
    [JsonStringEnumMemberName("labels")]
    Labels,
}

/// <summary>Something that happened to a GPU.</summary>
public sealed record GpuEvent
{
    /// <summary>When it began.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>When it ended; null for what has no length, or goes on.</summary>
    public required DateTimeOffset? EndTime { get; init; }

    /// <summary>What it is.</summary>
    public required EventKind Kind { get; init; }

    /// <summary>How bad it is.</summary>
    public required Severity Severity { get; init; }

    /// <summary>A few words.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence.</summary>
    public required string Text { get; init; }

    /// <summary>What to do; null where there is nothing to be done.</summary>
    public required string? Advice { get; init; }
}

/// <summary>What happened to a GPU in a range of time.</summary>
public sealed record EventsAnswer
{
    /// <summary>The start of the range, in it.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The events, newest first.</summary>
    public required IReadOnlyList<GpuEvent> Data { get; init; }

    /// <summary>How many events there are.</summary>
    public required int Total { get; init; }
}

/// <summary>The labels that a GPU had for a time.</summary>
public sealed record LabelSet
{
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

    /// <summary>The time of the oldest record with these labels.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of the newest.</summary>
    public required DateTimeOffset LastSeen { get; init; }
}

/// <summary>The labels of a GPU over time.</summary>
public sealed record LabelsAnswer
{
    /// <summary>The sets of labels, the one seen last first.</summary>
    public required IReadOnlyList<LabelSet> Data { get; init; }

    /// <summary>How many sets there are.</summary>
    public required int Total { get; init; }
}

/// <summary>A metric.</summary>
public sealed record MetricInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its unit; null where it has none, or none is known. <c>ratio</c> is 0 to 1.</summary>
    public required string? Unit { get; init; }

    /// <summary>What it is; null where that is not known.</summary>
    public required string? Description { get; init; }
}

/// <summary>The metrics of the store.</summary>
public sealed record MetricsAnswer
{
    /// <summary>The metrics, by name.</summary>
    public required IReadOnlyList<MetricInfo> Data { get; init; }

    /// <summary>How many metrics there are.</summary>
    public required int Total { get; init; }
}
