using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>What a member owns, and what the coordinator's words change about it. Guarded by the member's lock.</summary>
internal sealed class MemberShards
{
    private readonly Dictionary<int, Owned> _owned = [];
    private readonly Dictionary<int, long> _released = []; // the generation at which a shard was given back

    public IReadOnlyList<int> All => [.. _owned.Keys.Order()];

    /// <summary>The member owns the shard, at this generation.</summary>
    public bool Owns(int shard, long generation) => _owned.TryGetValue(shard, out var owned) && owned.Generation == generation;

    /// <summary>
    /// Takes an assignment. After a reconnect the coordinator may say again what the member has: the same generation of the
    /// same log is no change. Another generation means that the shard was not the member's in between.
    /// </summary>
    public AssignedShards Assign(Assign message)
    {
        var assigned = new List<ShardAssignment>();
        var lost = new List<int>();
        var released = new List<int>();
        foreach (var assignment in message.Assignments)
        {
            var owned = new Owned(message.Generation, assignment.Log);
            if (_released.TryGetValue(assignment.Shard, out var generation) && generation == message.Generation)
            {
                released.Add(assignment.Shard); // the release did not arrive before the connection broke
                continue;
            }
            if (_owned.TryGetValue(assignment.Shard, out var before))
            {
                if (before == owned)
                    continue;
                lost.Add(assignment.Shard);
            }
            _owned[assignment.Shard] = owned;
            _released.Remove(assignment.Shard);
            assigned.Add(new ShardAssignment(assignment.Shard, message.Generation, assignment.CommittedOffset));
        }
        return new AssignedShards(assigned, lost, released);
    }

    /// <summary>Divides shards that are to be given back into those that the member has and those that it has not (any more).</summary>
    public (List<int> Owned, List<int> Foreign) Divide(IEnumerable<int> shards)
    {
        var (owned, foreign) = (new List<int>(), new List<int>());
        foreach (var shard in shards)
            (_owned.ContainsKey(shard) ? owned : foreign).Add(shard);
        return (owned, foreign);
    }

    /// <summary>Gives shards back.</summary>
    public void Release(IEnumerable<int> shards)
    {
        foreach (var shard in shards)
        {
            if (_owned.Remove(shard, out var owned))
                _released[shard] = owned.Generation;
        }
    }

    public void Lose(IEnumerable<int> shards)
    {
        foreach (var shard in shards)
            _owned.Remove(shard);
    }

    private sealed record Owned(long Generation, LogId? Log);
}

/// <summary>What an assignment means: in this order, these are lost, these are owned, and these are to be given back (again).</summary>
internal readonly record struct AssignedShards(List<ShardAssignment> Assigned, List<int> Lost, List<int> Released);
