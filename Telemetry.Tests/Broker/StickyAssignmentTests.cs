using CsCheck;
using Telemetry.Broker.Groups;

namespace Telemetry.Tests.Broker;

public sealed class StickyAssignmentTests
{
    private static readonly Gen<(int[] Current, int Members)> Situations = Gen.Int[1, 12]
        .SelectMany(members => Gen.Int[-1, members - 1].Array[0, 80].Select(current => (current, members)));

    [Fact]
    public void Every_shard_has_one_owner_and_numbers_differ_by_at_most_one() => Situations.Sample(situation =>
    {
        var target = StickyAssignment.Balance(situation.Current, situation.Members);
        Assert.Equal(situation.Current.Length, target.Length);
        Assert.All(target, owner => Assert.InRange(owner, 0, situation.Members - 1));
        var sizes = Sizes(target, situation.Members);
        Assert.True(sizes.Max() - sizes.Min() <= 1);
    });

    [Fact]
    public void As_few_shards_as_possible_change_hands() => Situations.Sample(situation =>
    {
        var (current, members) = situation;
        var target = StickyAssignment.Balance(current, members);
        var kept = current.Zip(target).Count(pair => pair.First == pair.Second);
        Assert.Equal(MostThatCanBeKept(current, members), kept);
    });

    [Fact]
    public void A_balanced_assignment_stays_as_it_is() => Situations.Sample(situation =>
    {
        var balanced = StickyAssignment.Balance(situation.Current, situation.Members);
        Assert.Equal(balanced, StickyAssignment.Balance(balanced, situation.Members));
    });

    [Fact]
    public void Without_members_nothing_is_owned() => Assert.Equal([-1, -1], StickyAssignment.Balance([-1, -1], 0));

    /// <summary>The best over all ways to give the larger quota to some members.</summary>
    private static int MostThatCanBeKept(int[] current, int members)
    {
        var sizes = Sizes(current, members);
        var (quota, larger) = (current.Length / members, current.Length % members);
        var best = 0;
        for (var choice = 0; choice < 1 << members; choice++)
        {
            if (System.Numerics.BitOperations.PopCount((uint)choice) == larger)
                best = Math.Max(best, Enumerable.Range(0, members).Sum(member => Math.Min(sizes[member], quota + ((choice >> member) & 1))));
        }
        return best;
    }

    private static int[] Sizes(int[] owners, int members) =>
        [.. Enumerable.Range(0, members).Select(member => owners.Count(owner => owner == member))];
}
