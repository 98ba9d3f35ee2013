namespace Telemetry.Gateway.Answers;

/// <summary>How far behind consumer groups were over time.</summary>
public sealed record PipelineHistoryAnswer
{
    /// <summary>Whether the queue answered.</summary>
    public required bool Reachable { get; init; }

    /// <summary>Why it did not; null where it did.</summary>
    public required string? Reason { get; init; }

    /// <summary>The start of the range; the queue may have nothing of its beginning.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the range.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>How far apart the steps usually are, in seconds. Where they are further apart, nothing is known in between.</summary>
    public required double StepSeconds { get; init; }

    /// <summary>The groups, by name; those that divide an input have no lag and are not here.</summary>
    public required IReadOnlyList<GroupLagHistory> Groups { get; init; }
}

/// <summary>How far behind a consumer group was over time.</summary>
public sealed record GroupLagHistory
{
    /// <summary>Its name.</summary>
    public required string Group { get; init; }

    /// <summary>Its topic.</summary>
    public required string Topic { get; init; }

    /// <summary>All partitions together, by time.</summary>
    public required IReadOnlyList<GroupLagStep> Data { get; init; }

    /// <summary>Its partitions, by number.</summary>
    public required IReadOnlyList<PartitionLagHistory> Partitions { get; init; }
}

/// <summary>How far behind a group was in a step of time.</summary>
public sealed record GroupLagStep
{
    /// <summary>The end of the step.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Records not yet committed, the most of each partition, added up.</summary>
    public required long LagRecords { get; init; }

    /// <summary>The age of the oldest record not yet committed, in seconds, at its highest; 0 without any.</summary>
    public required double LagSeconds { get; init; }

    /// <summary>Records appended a second since the step before; null for the first, and where the log is another one.</summary>
    public required double? AppendedPerSecond { get; init; }

    /// <summary>Records committed a second since the step before; null for the first, and where the group was moved back.</summary>
    public required double? CommittedPerSecond { get; init; }
}

/// <summary>How far behind a group was in a partition over time.</summary>
public sealed record PartitionLagHistory
{
    /// <summary>The partition.</summary>
    public required int Partition { get; init; }

    /// <summary>By time.</summary>
    public required IReadOnlyList<PartitionLagStep> Data { get; init; }
}

/// <summary>How far behind a group was in a partition in a step of time.</summary>
public sealed record PartitionLagStep
{
    /// <summary>The end of the step.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Records not yet committed, at most.</summary>
    public required long LagRecords { get; init; }

    /// <summary>The age of the oldest of them, in seconds, at its highest.</summary>
    public required double LagSeconds { get; init; }
}
