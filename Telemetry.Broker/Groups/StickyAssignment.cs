namespace Telemetry.Broker.Groups;

/// <summary>
/// Divides shards among members so that their numbers differ by at most one and as few shards as possible change hands.
/// </summary>
internal static class StickyAssignment
{
    /// <summary>The owner each shard should have.</summary>
    /// <param name="current">The owner of each shard as an index of a member; -1: none.</param>
    /// <param name="members">How many members there are; earlier ones are preferred where all else is equal.</param>
    /// <returns>A member's index for each shard; -1 for all when there are no members.</returns>
    /// <remarks>
    /// With S shards and M members, S mod M members get one shard more than the others. Giving these places to the members
    /// that have most keeps the most shards where they are: each member keeps as many as its quota lets it.
    /// </remarks>
    public static int[] Balance(IReadOnlyList<int> current, int members)
    {
        var target = new int[current.Count];
        Array.Fill(target, -1);
        if (members == 0)
            return target;
        var room = Quotas(current, members);
        for (var shard = 0; shard < target.Length; shard++)
        {
            var owner = current[shard];
            if (owner >= 0 && room[owner] > 0)
            {
                target[shard] = owner;
                room[owner]--;
            }
        }
        var member = 0;
        for (var shard = 0; shard < target.Length; shard++)
        {
            if (target[shard] >= 0)
                continue;
            while (room[member] == 0)
                member++;
            target[shard] = member;
            room[member]--;
        }
        return target;
    }

    private static int[] Quotas(IReadOnlyList<int> current, int members)
    {
        var owned = new int[members];
        foreach (var owner in current)
        {
            if (owner >= 0)
                owned[owner]++;
        }
        var quotas = new int[members];
        Array.Fill(quotas, current.Count / members);
        foreach (var member in Enumerable.Range(0, members).OrderByDescending(member => owned[member]).Take(current.Count % members))
            quotas[member]++;
        return quotas;
    }
}
