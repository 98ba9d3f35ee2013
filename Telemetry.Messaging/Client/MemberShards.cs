using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>What a member owns, and what the coordinator's words change about it. Guarded by the member's lock.</summary>
internal sealed class MemberShards
{
    private readonly Dictionary<int, Owned> _owned = [];

    public IReadOnlyList<int> All => [.. _owned.Keys.Order()];

    /// <summary>The member owns the shard, at this generation.</summary>
    public bool Owns(int shard, long generation) => _owned.TryGetValue(shard, out var owned) && owned.Generation == generation;

    /// <summary>
    /// Takes an assignment. What the member has already it has anew only with another generation or log: then its old
    /// generation is void, so it is lost first.
    /// </summary>
    /// <param name="message">What the coordinator assigns.</param>
    /// <param name="isAll">It is the first after a join: what is not in it is not the member's any more.</param>
    public (List<int> Lost, List<ShardAssignment> Assigned) Assign(Assign message, bool isAll)
    {
        var assigned = new List<ShardAssignment>();
        var lost = new List<int>();
        if (isAll)
            lost.AddRange(_owned.Keys.Except(message.Assignments.Select(assignment => assignment.Shard)));
        foreach (var assignment in message.Assignments)
        {
            var now = new Owned(message.Generation, assignment.Log);
            if (_owned.TryGetValue(assignment.Shard, out var before))
            {
                if (before == now)
                    continue;
                lost.Add(assignment.Shard);
            }
            assigned.Add(new ShardAssignment(assignment.Shard, message.Generation, assignment.CommittedOffset)
            {
                Log = assignment.Log is null ? null : LogIdentities.Of(assignment.Log),
            });
        }
        Remove(lost);
        foreach (var assignment in message.Assignments)
            _owned[assignment.Shard] = new Owned(message.Generation, assignment.Log);
        lost.Sort();
        return (lost, assigned);
    }

    /// <summary>Divides shards that are to be given back into those that the member has and those that it has not (any more).</summary>
    public (List<int> Owned, List<int> Foreign) Divide(IEnumerable<int> shards)
    {
        var (owned, foreign) = (new List<int>(), new List<int>());
        foreach (var shard in shards)
            (_owned.ContainsKey(shard) ? owned : foreign).Add(shard);
        return (owned, foreign);
    }

    /// <summary>The member has given them back, or lost them.</summary>
    public void Remove(IEnumerable<int> shards)
    {
        foreach (var shard in shards)
            _owned.Remove(shard);
    }

    private sealed record Owned(long Generation, LogId? Log);
}
