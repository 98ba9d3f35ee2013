using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Answers;

/// <summary>How complete the records of the fleet's GPUs are, hour by hour.</summary>
public sealed record CompletenessAnswer
{
    /// <summary>The start of the range; the hour that it lies in is the first.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The GPUs that were seen before the end of the range, by host and index.</summary>
    public required IReadOnlyList<GpuCompletenessAnswer> Data { get; init; }

    /// <summary>How many GPUs there are.</summary>
    public required int Total { get; init; }
}

/// <summary>How complete the records of a GPU are.</summary>
public sealed record GpuCompletenessAnswer
{
    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host.</summary>
    public required string GpuId { get; init; }

    /// <summary>The usual distance of its records; null where there are too few.</summary>
    public required double? IntervalSeconds { get; init; }

    /// <summary>The hours, whole, from its first record on.</summary>
    public required IReadOnlyList<HourCompletenessAnswer> Hours { get; init; }

    internal static GpuCompletenessAnswer Of(GpuCompleteness gpu) => new()
    {
        HostId = gpu.HostId,
        GpuId = gpu.GpuId,
        IntervalSeconds = gpu.Interval is { } interval ? Math.Round(interval.TotalSeconds, 3) : null,
        Hours = [.. gpu.Hours.Select(HourCompletenessAnswer.Of)],
    };
}

/// <summary>An hour of a GPU.</summary>
public sealed record HourCompletenessAnswer
{
    /// <summary>The start of the hour.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The records that arrived.</summary>
    public required long Rows { get; init; }

    /// <summary>The records that were to be expected; of the present hour, until now. Null where the interval is not known.</summary>
    public required double? Expected { get; init; }

    /// <summary>Received over expected, 0 to 1; null where nothing was to be expected.</summary>
    public required double? Completeness { get; init; }

    internal static HourCompletenessAnswer Of(HourCompleteness hour) => new()
    {
        StartTime = hour.Start,
        Rows = hour.Rows,
        Expected = hour.Expected is { } expected ? Math.Round(expected) : null,
        Completeness = hour.Expected is { } due and > 0 ? Math.Round(Math.Min(hour.Rows / due, 1), 4) : null,
    };
}
