using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>A group that is paused: its members stay, own nothing, and lag.</summary>
public sealed class GroupPauseTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public async Task A_pause_takes_all_shards_back_and_a_resume_gives_them_out_again(int inputShards)
    {
        await using var broker = new BrokerUnderTest(partitions: 4);
        var (first, second) = (broker.Join("g", "a", inputShards), broker.Join("g", "b", inputShards));
        GiveBack(broker, first);
        broker.Drain(second);
        var group = broker.Core.Groups.Get("g");
        group.Pause(true);
        Assert.True(group.Describe().Paused);
        GiveBack(broker, first);
        GiveBack(broker, second);
        Assert.All(group.Describe().Shards, shard => Assert.Equal("", shard.MemberId));
        Assert.Equal(["a", "b"], group.Describe().Members.Select(member => member.MemberId));

        var before = group.Describe().Generation;
        group.Pause(false);
        var half = group.Describe().Shards.Count / 2;
        Assert.Equal((half, half), (Assigned(broker.Drain(first)).Count, Assigned(broker.Drain(second)).Count));
        Assert.True(group.Describe().Generation > before);
    }

    [Fact]
    public async Task A_member_that_joins_a_paused_group_is_told_that_it_has_nothing()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        broker.Join("g", "a").Leave();
        broker.Core.Groups.Get("g").Pause(true);
        var joined = broker.Join("g", "b");
        Assert.Empty(Assigned(broker.Drain(joined)));
        broker.Core.Groups.Get("g").Pause(false);
        Assert.Equal([0, 1], Assigned(broker.Drain(joined)));
    }

    [Fact]
    public async Task Shards_of_a_member_that_leaves_a_paused_group_go_to_nobody()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var (first, second) = (broker.Join("g", "a"), broker.Join("g", "b"));
        GiveBack(broker, first);
        broker.Drain(second);
        broker.Core.Groups.Get("g").Pause(true);
        broker.Drain(second);
        first.Leave();
        second.Release([1]);
        broker.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(broker.Drain(second));
    }

    [Fact]
    public async Task A_member_has_its_time_to_finish_and_is_fenced_when_it_takes_longer()
    {
        await using var broker = new BrokerUnderTest();
        var slow = broker.Join("g", "slow", sessionSeconds: 60, rebalanceSeconds: 5);
        broker.Drain(slow);
        await broker.Publish(10);
        broker.Core.Groups.Get("g").Pause(true);
        Assert.Equal(TimeSpan.FromSeconds(5), Assert.IsType<MemberEvent.Revoked>(Assert.Single(broker.Drain(slow))).Deadline);
        broker.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(ErrorCode.Ok, broker.Commit("g", "slow", 4));
        broker.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(ErrorCode.MemberFenced, Assert.IsType<MemberEvent.Fenced>(Assert.Single(broker.Drain(slow))).Error);
        Assert.Equal(ErrorCode.UnknownMember, broker.Commit("g", "slow", 5));
        Assert.Empty(Assigned(broker.Drain(broker.Join("g", "slow"))));
    }

    [Fact]
    public async Task A_resume_before_a_shard_is_back_gives_it_to_its_member_again_under_a_new_generation()
    {
        await using var broker = new BrokerUnderTest();
        var member = broker.Join("g", "a");
        broker.Drain(member);
        var group = broker.Core.Groups.Get("g");
        var before = broker.Generations[("g", 0)];
        group.Pause(true);
        group.Pause(false);
        Assert.Empty(broker.Drain(member).OfType<MemberEvent.Assigned>()); // it was told to give it back, and will
        member.Release([0]);
        Assert.Equal([0], Assigned(broker.Drain(member)));
        Assert.True(broker.Generations[("g", 0)] > before);
        Assert.Equal(ErrorCode.MemberFenced, group.Commit("a", 0, 0, before).Error);
    }

    [Fact]
    public async Task Pausing_what_is_paused_and_resuming_what_runs_changes_nothing()
    {
        await using var broker = new BrokerUnderTest();
        var member = broker.Join("g", "a");
        broker.Drain(member);
        var group = broker.Core.Groups.Get("g");
        group.Pause(false);
        Assert.Empty(broker.Drain(member));
        group.Pause(true);
        broker.Pass(TimeSpan.FromSeconds(4));
        group.Pause(true);
        Assert.Single(broker.Drain(member)); // the deadline is not put off
        member.Heartbeat();
        broker.Pass(TimeSpan.FromSeconds(7));
        Assert.IsType<MemberEvent.Fenced>(broker.Drain(member)[^1]);
    }

    [Fact]
    public async Task F36_the_lag_of_a_paused_group_grows_and_is_seen()
    {
        await using var broker = new BrokerUnderTest();
        var member = broker.Join("g", "a", sessionSeconds: 60);
        broker.Drain(member);
        broker.Core.Groups.Get("g").Pause(true);
        member.Release([0]);
        await broker.Publish(10);
        broker.Pass(TimeSpan.FromSeconds(30));
        await broker.Publish(5);
        var lag = broker.Core.Groups.Get("g").Describe().Shards[0].Lag;
        Assert.Equal((15, 30), (lag.Records, lag.Seconds));
    }

    [Fact]
    public async Task A_paused_group_of_an_input_is_not_dropped_for_another_one()
    {
        await using var broker = new BrokerUnderTest(limits: new BrokerLimits { GroupsMax = 1 });
        broker.Join("input/1", "a", 16).Leave();
        broker.Core.Groups.Get("input/1").Pause(true);
        Assert.Throws<BrokerException>(() => broker.Join("input/2", "a", 16));
        broker.Core.Groups.Get("input/1").Pause(false);
        broker.Join("input/2", "a", 16);
    }

    private static void GiveBack(BrokerUnderTest broker, MemberSession session) =>
        session.Release([.. broker.Drain(session).OfType<MemberEvent.Revoked>().SelectMany(revoked => revoked.Shards)]);

    private static List<int> Assigned(IEnumerable<MemberEvent> events) =>
        [.. Assert.Single(events.OfType<MemberEvent.Assigned>()).Shards.Select(shard => shard.Shard)];
}
