using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Groups;

/// <summary>What the coordinator tells a member.</summary>
internal abstract record MemberEvent
{
    /// <summary>The member is in the group.</summary>
    public sealed record Joined(string MemberId, TimeSpan SessionTimeout, int Shards) : MemberEvent;

    /// <summary>The member owns these too. The first one after <see cref="Joined"/> has all that it owns, and may be empty.</summary>
    public sealed record Assigned(long Generation, IReadOnlyList<AssignedShard> Shards) : MemberEvent;

    /// <summary>The member has to finish with these within a time.</summary>
    public sealed record Revoked(IReadOnlyList<int> Shards, TimeSpan Deadline) : MemberEvent;

    /// <summary>Last: the member owns nothing any more.</summary>
    public sealed record Fenced(ErrorCode Error, string Message) : MemberEvent;

    /// <summary>Every shard of the input is finished by its owner.</summary>
    public sealed record AllFinished : MemberEvent
    {
        public static readonly AllFinished Instance = new();
    }

    /// <summary>Answers a heartbeat.</summary>
    public sealed record Heartbeat : MemberEvent
    {
        public static readonly Heartbeat Instance = new();
    }
}

/// <summary>A shard that a member owns.</summary>
/// <param name="Shard">A partition, or a shard of input.</param>
/// <param name="Committed">How far the group has read it; -1: nowhere.</param>
/// <param name="Log">The partition's log; null for shards of input.</param>
internal readonly record struct AssignedShard(int Shard, long Committed, LogIdentity? Log);
