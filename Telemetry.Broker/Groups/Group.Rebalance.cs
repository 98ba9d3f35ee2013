namespace Telemetry.Broker.Groups;

// Who owns what: shards without an owner are assigned at once, others are revoked first and assigned when they are back.
internal sealed partial class Group
{
    /// <summary>Moves towards a balanced assignment; towards none while the group is paused.</summary>
    /// <param name="joined">A member that just joined: it is told what it gets even if that is nothing.</param>
    private void Rebalance(Member? joined = null)
    {
        var index = _members.Select((member, i) => (member, i)).ToDictionary(pair => pair.member, pair => pair.i);
        // A shard on its way counts as its next owner's: it cannot be called back, and must not be promised twice.
        var current = _shards.Select(shard => (shard.Target ?? shard.Owner) is { } member ? index[member] : -1).ToArray();
        var target = StickyAssignment.Balance(current, _paused ? 0 : _members.Count);
        var assigned = new Dictionary<Member, List<Shard>>();
        var revoked = new Dictionary<Member, List<Shard>>();
        if (joined is not null)
            assigned[joined] = [];
        for (var i = 0; i < _shards.Length; i++)
        {
            var shard = _shards[i];
            var next = target[i] < 0 ? null : _members[target[i]];
            if (shard.RevokeDeadlineLogMs is not null)
            {
                shard.Target = next;
            }
            else if (shard.Owner is null)
            {
                shard.Target = null;
                if (next is not null)
                    AddTo(assigned, next, shard);
            }
            else if (shard.Owner != next)
            {
                shard.Target = next;
                AddTo(revoked, shard.Owner, shard);
            }
        }
        foreach (var (member, shards) in revoked)
            Revoke(member, shards);
        foreach (var (member, shards) in assigned)
            Assign(member, shards);
    }

    /// <summary>Tells a member that is back what it has; its old generations are void.</summary>
    private void Resume(Member member)
    {
        var shards = _shards.Where(shard => shard.Owner == member).ToList();
        Assign(member, shards);
        foreach (var revoked in shards.Where(shard => shard.RevokeDeadlineLogMs is not null).GroupBy(shard => shard.RevokeDeadlineLogMs!.Value))
        {
            var left = TimeSpan.FromMilliseconds(Math.Max(0, revoked.Key - _clock.LogMs));
            member.Session?.Tell(new MemberEvent.Revoked([.. revoked.Select(shard => shard.Number)], left));
        }
    }

    private void Assign(Member member, List<Shard> shards)
    {
        if (shards.Count > 0)
            _generation++;
        foreach (var shard in shards)
        {
            shard.Owner = member;
            shard.Generation = _generation;
            shard.IsFinished = false;
        }
        member.Session?.Tell(new MemberEvent.Assigned(
            _generation, [.. shards.Select(shard => new AssignedShard(shard.Number, shard.Progress.Committed, shard.Log))]));
    }

    private void Revoke(Member member, List<Shard> shards)
    {
        var deadline = _clock.LogMs + (long)member.Options.RebalanceTimeout.TotalMilliseconds;
        foreach (var shard in shards)
            shard.RevokeDeadlineLogMs = deadline;
        member.Session?.Tell(new MemberEvent.Revoked([.. shards.Select(shard => shard.Number)], member.Options.RebalanceTimeout));
    }

    private static void AddTo(Dictionary<Member, List<Shard>> lists, Member member, Shard shard)
    {
        if (!lists.TryGetValue(member, out var list))
            lists[member] = list = [];
        list.Add(shard);
    }
}
