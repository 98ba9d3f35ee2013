using Telemetry.Broker.Log;
using Telemetry.Messaging.Client;

namespace Telemetry.Broker.Groups;

/// <summary>How a member wants to take part.</summary>
/// <param name="MemberId">Stable over reconnects; empty: the coordinator makes one.</param>
/// <param name="SessionTimeout">After this long without a word it is fenced.</param>
/// <param name="RebalanceTimeout">How long it may take to give back revoked shards.</param>
/// <param name="Client">For people: host and process.</param>
internal sealed record MemberOptions(string MemberId, TimeSpan SessionTimeout, TimeSpan RebalanceTimeout, string Client = "");

/// <summary>A member of a group. Changed under the group's lock only.</summary>
internal sealed class Member(string id, MemberOptions options, long joinedUnixMs)
{
    public string Id { get; } = id;

    public MemberOptions Options { get; set; } = options;

    public long JoinedUnixMs { get; } = joinedUnixMs;

    /// <summary>Log time of the last word.</summary>
    public long SeenLogMs { get; set; }

    /// <summary>Its stream; null while it is disconnected.</summary>
    public MemberSession? Session { get; set; }
}

/// <summary>A shard of a group: a partition of its topic, or a shard of an input. Changed under the group's lock only.</summary>
internal sealed class Shard(int number, PartitionLog? partition, GroupProgress progress)
{
    public int Number { get; } = number;

    /// <summary>The partition; null for a shard of input.</summary>
    public PartitionLog? Partition { get; } = partition;

    public GroupProgress Progress { get; } = progress;

    public LogIdentity? Log => Partition?.Log;

    /// <summary>Who owns it now.</summary>
    public Member? Owner { get; set; }

    /// <summary>Who shall own it next, while it is being revoked and until it is assigned.</summary>
    public Member? Target { get; set; }

    /// <summary>The generation of its assignment.</summary>
    public long Generation { get; set; }

    /// <summary>Its owner has nothing left to send of this shard of an input.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Log time until which its owner has to give it back; null: it is not revoked.</summary>
    public long? RevokeDeadlineLogMs { get; set; }
}
