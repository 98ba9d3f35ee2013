using System.Text.Json.Serialization;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Answers;

/// <summary>A metric over a range of time.</summary>
public sealed record MetricStatistics
{
    /// <summary>How many values were measured.</summary>
    public required long Count { get; init; }

    /// <summary>Their arithmetic mean; null where their sum is beyond a double.</summary>
    public required double? Avg { get; init; }

    /// <summary>The smallest.</summary>
    public required double Min { get; init; }

    /// <summary>The largest.</summary>
    public required double Max { get; init; }

    /// <summary>The newest; of a group, that of its newest record with the metric.</summary>
    public required double Last { get; init; }

    internal static Dictionary<string, MetricStatistics> Of(IReadOnlyList<MetricAggregate> metrics) =>
        metrics.Where(m => m.Count > 0).ToDictionary(m => m.Metric, m => new MetricStatistics
        {
            Count = m.Count,
            Avg = Finite(m.Avg),
            Min = m.Min,
            Max = m.Max,
            Last = m.Last,
        }, StringComparer.Ordinal);

    // JSON has no infinity.
    internal static double? Finite(double value) => double.IsFinite(value) ? value : null;
}

/// <summary>A host's or a GPU's metrics over a range of time.</summary>
public sealed record Aggregation
{
    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host; not there where a group is a host.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? GpuId { get; init; }

    /// <summary>Its records in the range.</summary>
    public required long Rows { get; init; }

    /// <summary>By metric; what was not measured is not here.</summary>
    public required IReadOnlyDictionary<string, MetricStatistics> Metrics { get; init; }
}

/// <summary>Metrics by host or GPU over a range of time.</summary>
public sealed record AggregationsAnswer
{
    /// <summary>What a group is: host_id or gpu_id.</summary>
    public required string GroupBy { get; init; }

    /// <summary>The start of the range, in it.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The groups that have records in the range, by name.</summary>
    public required IReadOnlyList<Aggregation> Data { get; init; }

    /// <summary>How many groups there are.</summary>
    public required int Total { get; init; }
}

/// <summary>A step of a series.</summary>
public sealed record SeriesStep
{
    /// <summary>The start of the step.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>How many values were measured in it.</summary>
    public required long Count { get; init; }

    /// <summary>Their arithmetic mean; null where their sum is beyond a double.</summary>
    public required double? Avg { get; init; }

    /// <summary>The smallest.</summary>
    public required double Min { get; init; }

    /// <summary>The largest.</summary>
    public required double Max { get; init; }

    /// <summary>The newest.</summary>
    public required double Last { get; init; }
}

/// <summary>One metric of one GPU in steps.</summary>
public sealed record SeriesAnswer
{
    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host.</summary>
    public required string GpuId { get; init; }

    /// <summary>The metric.</summary>
    public required string Metric { get; init; }

    /// <summary>The start of the range, and of the first step.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The length of a step.</summary>
    public required double StepSeconds { get; init; }

    /// <summary>The steps in which something was measured. A step that is not here is a gap, not 0.</summary>
    public required IReadOnlyList<SeriesStep> Data { get; init; }
}

/// <summary>The fleet over a range of time.</summary>
public sealed record SummaryAnswer
{
    /// <summary>The start of the range, in it.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>Hosts with a record in the range.</summary>
    public required long Hosts { get; init; }

    /// <summary>GPUs with a record in the range.</summary>
    public required long Gpus { get; init; }

    /// <summary>Records in the range.</summary>
    public required long Rows { get; init; }

    /// <summary>
    /// Records received over records expected, 0 to 1; null without records. Expected is what each GPU would have sent at its
    /// usual interval since its first record.
    /// </summary>
    public required double? Completeness { get; init; }

    /// <summary>Over all records, by metric.</summary>
    public required IReadOnlyDictionary<string, FleetStatistics> Metrics { get; init; }
}

/// <summary>A metric of the whole fleet.</summary>
public sealed record FleetStatistics
{
    /// <summary>How many values were measured.</summary>
    public required long Count { get; init; }

    /// <summary>Their arithmetic mean; null where their sum is beyond a double.</summary>
    public required double? Avg { get; init; }

    /// <summary>The smallest.</summary>
    public required double Min { get; init; }

    /// <summary>The peak.</summary>
    public required double Max { get; init; }
}
