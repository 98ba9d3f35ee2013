using Microsoft.Extensions.Logging;

namespace Telemetry.Messaging.Client;

/// <summary>How a member takes part in a group.</summary>
public sealed record GroupMemberOptions
{
    /// <summary>The group.</summary>
    public required string Group { get; init; }

    /// <summary>The topic; made on first use.</summary>
    public required string Topic { get; init; }

    /// <summary>0: the group divides the topic's partitions; above 0: this many shards of an input.</summary>
    public int Shards { get; init; }

    /// <summary>After this long without a word the member is fenced.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the member may take to give back a revoked shard.</summary>
    public TimeSpan RebalanceTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For people: host and process.</summary>
    public string Client { get; init; } = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Gets a line when the queue is lost, when it is back, and when shards are lost (events 5000–5029); none by default.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock of the session, of heartbeats and of waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A shard that the member owns: a partition of the topic, or a shard of input.</summary>
/// <param name="Shard">Its number.</param>
/// <param name="Generation">Goes with commits.</param>
/// <param name="CommittedOffset">Where the group has read to; -1 for nowhere.</param>
public sealed record ShardAssignment(int Shard, long Generation, long CommittedOffset)
{
    /// <summary>The log that the offset belongs to; null for shards of an input.</summary>
    public LogIdentity? Log { get; init; }
}

/// <summary>What happened to the member's assignment.</summary>
public abstract record AssignmentChange
{
    /// <summary>The member owns these too.</summary>
    public sealed record Assigned(IReadOnlyList<ShardAssignment> Shards) : AssignmentChange;

    /// <summary>Finish with these, then call <see cref="GroupMember.ReleaseAsync"/>; after the deadline the member is fenced.</summary>
    public sealed record Revoked(IReadOnlyList<int> Shards, TimeSpan Deadline) : AssignmentChange;

    /// <summary>
    /// Every shard of the input was finished by its owner (<see cref="GroupMember.FinishAsync"/>): no member is needed any more.
    /// </summary>
    public sealed record AllFinished : AssignmentChange;

    /// <summary>
    /// The membership was lost (fenced, or the queue did not answer for the session's length), or began anew (a member that
    /// reconnects gets its shards with new generations): these are no longer owned and must be dropped at once. The member
    /// joins again by itself, and what it gets then comes as <see cref="Assigned"/>.
    /// </summary>
    public sealed record Lost(IReadOnlyList<int> Shards, string Reason) : AssignmentChange;
}
