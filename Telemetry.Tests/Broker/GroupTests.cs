using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class GroupTests
{
    [Fact]
    public async Task The_first_member_gets_everything_and_is_told_where_to_begin()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var events = broker.Drain(broker.Join("g", "a"));
        Assert.Equal(new MemberEvent.Joined("a", TimeSpan.FromSeconds(10), 2), events[0]);
        var assigned = Assert.IsType<MemberEvent.Assigned>(events[1]);
        Assert.Equal([new(0, -1, broker.Topic.Partitions[0].Log), new AssignedShard(1, -1, broker.Topic.Partitions[1].Log)], assigned.Shards);
        Assert.Equal(2, events.Count);
    }

    [Fact]
    public async Task A_member_without_an_id_gets_one()
    {
        await using var broker = new BrokerUnderTest();
        var first = broker.Join("g", "");
        var second = broker.Join("g", "");
        Assert.NotEqual(first.MemberId, second.MemberId);
        Assert.StartsWith("m-", first.MemberId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_member_gets_its_share_only_when_the_first_has_given_it_back()
    {
        await using var broker = new BrokerUnderTest(partitions: 4);
        var first = broker.Join("g", "a");
        broker.Drain(first);
        var second = broker.Join("g", "b");
        var revoked = Assert.IsType<MemberEvent.Revoked>(Assert.Single(broker.Drain(first)));
        Assert.Equal([2, 3], revoked.Shards);
        Assert.Equal(TimeSpan.FromSeconds(10), revoked.Deadline);
        Assert.Empty(Assigned(broker.Drain(second))); // the first list is told even when it is empty

        first.Release([2]);
        Assert.Equal([2], Assigned(broker.Drain(second)));
        first.Release([3]);
        Assert.Equal([3], Assigned(broker.Drain(second)));
        Assert.Empty(broker.Drain(first));
    }

    [Fact]
    public async Task A_revoked_shard_can_be_committed_until_it_is_given_back()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var first = broker.Join("g", "a");
        broker.Drain(first);
        broker.Join("g", "b");
        Assert.Equal(ErrorCode.Ok, broker.Commit("g", "a", 0, shard: 1));
        first.Release([1]);
        Assert.Equal(ErrorCode.MemberFenced, broker.Commit("g", "a", 0, shard: 1));
    }

    [Fact]
    public async Task Every_assignment_has_a_higher_generation()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var first = broker.Join("g", "a");
        var before = Generation(broker.Drain(first));
        var second = broker.Join("g", "b");
        broker.Drain(second);
        first.Release([1]);
        var after = Generation(broker.Drain(second));
        Assert.True(after > before);
        Assert.Equal(after, broker.Core.Groups.Get("g").Describe().Generation);
        Assert.Equal(ErrorCode.MemberFenced, broker.Core.Groups.Get("g").Commit("b", 1, 0, before).Error);
        Assert.Equal(ErrorCode.Ok, broker.Core.Groups.Get("g").Commit("b", 1, 0, after).Error);
    }

    [Fact]
    public async Task A_member_that_does_not_give_back_in_time_is_fenced()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var slow = broker.Join("g", "slow", sessionSeconds: 60, rebalanceSeconds: 5);
        broker.Drain(slow);
        var other = broker.Join("g", "other", sessionSeconds: 60);
        broker.Drain(other);
        broker.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(2, broker.Core.Groups.Get("g").Describe().Members.Count);
        broker.Pass(TimeSpan.FromMilliseconds(1));
        var fenced = Assert.IsType<MemberEvent.Fenced>(broker.Drain(slow)[^1]);
        Assert.Equal(ErrorCode.MemberFenced, fenced.Error);
        Assert.Contains("rebalance timeout of 5000 ms", fenced.Message, StringComparison.Ordinal);
        Assert.Equal([0, 1], Assigned(broker.Drain(other)));
    }

    [Fact]
    public async Task F15_a_silent_member_is_fenced_at_its_session_timeout_and_its_commits_are_refused()
    {
        await using var broker = new BrokerUnderTest();
        var silent = broker.Join("g", "silent", sessionSeconds: 10);
        broker.Drain(silent);
        var other = broker.Join("g", "other", sessionSeconds: 60);
        broker.Drain(other);
        broker.Pass(TimeSpan.FromSeconds(9));
        silent.Heartbeat();
        broker.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(2, broker.Core.Groups.Get("g").Describe().Members.Count);
        broker.Pass(TimeSpan.FromMilliseconds(1));
        Assert.IsType<MemberEvent.Fenced>(broker.Drain(silent)[^1]);
        Assert.Equal([0], Assigned(broker.Drain(other)));
        Assert.Equal(ErrorCode.UnknownMember, broker.Core.Groups.Get("g").Commit("silent", 0, 0, 1).Error);
    }

    [Fact]
    public async Task F26_a_session_goes_by_monotonic_time()
    {
        await using var broker = new BrokerUnderTest();
        broker.Drain(broker.Join("g", "a"));
        broker.Time.Jump = TimeSpan.FromHours(1);
        broker.Core.Tick();
        Assert.Single(broker.Core.Groups.Get("g").Describe().Members);
    }

    [Fact]
    public async Task A_commit_is_a_sign_of_life()
    {
        await using var broker = new BrokerUnderTest();
        broker.Drain(broker.Join("g", "a"));
        broker.Pass(TimeSpan.FromSeconds(9));
        Assert.Equal(ErrorCode.Ok, broker.Commit("g", "a", 0));
        broker.Pass(TimeSpan.FromSeconds(9));
        Assert.Single(broker.Core.Groups.Get("g").Describe().Members);
    }

    [Fact]
    public async Task Heartbeats_are_answered_and_do_not_pile_up()
    {
        await using var broker = new BrokerUnderTest();
        var session = broker.Join("g", "a");
        broker.Drain(session);
        for (var i = 0; i < 100; i++)
            session.Heartbeat();
        Assert.IsType<MemberEvent.Heartbeat>(Assert.Single(broker.Drain(session)));
        session.Heartbeat();
        Assert.IsType<MemberEvent.Heartbeat>(Assert.Single(broker.Drain(session)));
    }

    [Fact]
    public async Task F25_a_member_that_comes_back_within_its_session_keeps_its_shards_without_a_move()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var first = broker.Join("g", "a");
        var before = Generation(broker.Drain(first));
        broker.Commit("g", "a", 0, shard: 1);
        var other = broker.Join("g", "b");
        first.Release([1]);
        broker.Drain(other);
        first.Detach();
        broker.Pass(TimeSpan.FromSeconds(9));
        other.Heartbeat();
        Assert.Equal("a", broker.Core.Groups.Get("g").Describe().Shards[0].MemberId);

        var again = broker.Join("g", "a");
        var events = broker.Drain(again);
        Assert.Equal([0], Assigned(events));
        Assert.True(Generation(events) > before);
        Assert.IsType<MemberEvent.Heartbeat>(Assert.Single(broker.Drain(other)));
        Assert.Equal(ErrorCode.MemberFenced, broker.Core.Groups.Get("g").Commit("a", 0, 0, before).Error);
    }

    [Fact]
    public async Task A_new_stream_of_a_member_fences_the_old_one()
    {
        await using var broker = new BrokerUnderTest();
        var old = broker.Join("g", "a");
        broker.Drain(old);
        var current = broker.Join("g", "a");
        Assert.Equal(ErrorCode.MemberFenced, Assert.IsType<MemberEvent.Fenced>(Assert.Single(broker.Drain(old))).Error);
        old.Leave(); // means nothing any more
        old.Heartbeat();
        Assert.Single(broker.Core.Groups.Get("g").Describe().Members);
        Assert.Equal([0], Assigned(broker.Drain(current)));
    }

    [Fact]
    public async Task A_member_that_comes_back_is_told_again_what_was_revoked()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var first = broker.Join("g", "a");
        broker.Drain(first);
        broker.Join("g", "b");
        broker.Drain(first);
        broker.Pass(TimeSpan.FromSeconds(4));
        var again = broker.Join("g", "a");
        var events = broker.Drain(again);
        Assert.Equal([0, 1], Assigned(events));
        var revoked = Assert.IsType<MemberEvent.Revoked>(events[^1]);
        Assert.Equal([1], revoked.Shards);
        Assert.Equal(TimeSpan.FromSeconds(6), revoked.Deadline);
    }

    [Fact]
    public async Task A_member_that_leaves_gives_everything_back_at_once()
    {
        await using var broker = new BrokerUnderTest(partitions: 2);
        var first = broker.Join("g", "a");
        broker.Drain(first);
        var second = broker.Join("g", "b");
        broker.Drain(second);
        first.Leave();
        Assert.Equal([0, 1], Assigned(broker.Drain(second)));
        second.Leave();
        Assert.All(broker.Core.Groups.Get("g").Describe().Shards, shard => Assert.Equal("", shard.MemberId));
    }

    [Fact]
    public async Task A_group_may_divide_an_input()
    {
        await using var broker = new BrokerUnderTest();
        var session = broker.Join("streamers", "s", shards: 16);
        var events = broker.Drain(session);
        Assert.Equal(16, Assert.IsType<MemberEvent.Joined>(events[0]).Shards);
        Assert.All(Assert.IsType<MemberEvent.Assigned>(events[1]).Shards, shard => Assert.Null(shard.Log));
        Assert.Equal(ErrorCode.Ok, broker.Commit("streamers", "s", 12345, shard: 15));
        var group = broker.Core.Groups.Get("streamers").Describe();
        Assert.True(group.DividesInput);
        Assert.Equal((12345, 0), (group.Shards[15].Committed, group.Shards[15].Lag.Records));
    }

    [Theory]
    [InlineData("other", 0, "reads topic 'telemetry', not 'other'")]
    [InlineData("telemetry", 8, "divides the topic's partitions, not 8 shards of an input")]
    public async Task A_join_that_conflicts_with_the_group_is_refused(string topic, int shards, string why)
    {
        await using var broker = new BrokerUnderTest();
        broker.Join("g", "a");
        var refused = Assert.Throws<BrokerException>(() => broker.Join("g", "b", shards, topic: topic));
        Assert.Equal(ErrorCode.InvalidRequest, refused.Code);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F21_a_deleted_topic_takes_its_groups_along()
    {
        await using var broker = new BrokerUnderTest();
        var session = broker.Join("g", "a");
        broker.Drain(session);
        await broker.Publish(10);
        broker.Commit("g", "a", 10);
        await broker.Core.DeleteTopicAsync("telemetry");
        Assert.Equal(ErrorCode.UnknownTopic, Assert.IsType<MemberEvent.Fenced>(Assert.Single(broker.Drain(session))).Error);
        var assigned = broker.Drain(broker.Join("g", "a")).OfType<MemberEvent.Assigned>().Single();
        Assert.Equal(-1, Assert.Single(assigned.Shards).Committed);
    }

    [Fact]
    public async Task Groups_and_members_are_bounded()
    {
        await using var broker = new BrokerUnderTest(limits: new BrokerLimits { GroupsMax = 1, MembersMax = 1 });
        broker.Join("g", "a");
        Assert.Contains("1 members", Assert.Throws<BrokerException>(() => broker.Join("g", "b")).Message, StringComparison.Ordinal);
        Assert.Contains("1 groups", Assert.Throws<BrokerException>(() => broker.Join("h", "a")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 0, ErrorCode.UnknownPartition)]
    [InlineData(1, 0, ErrorCode.UnknownPartition)]
    [InlineData(0, -1, ErrorCode.InvalidRequest)]
    [InlineData(0, 11, ErrorCode.OffsetOutOfRange)]
    [InlineData(0, 10, ErrorCode.Ok)]
    public async Task A_commit_has_to_make_sense(int shard, long offset, ErrorCode expected)
    {
        await using var broker = new BrokerUnderTest();
        var generation = Generation(broker.Drain(broker.Join("g", "a")));
        await broker.Publish(10);
        Assert.Equal(expected, broker.Core.Groups.Get("g").Commit("a", shard, offset, generation).Error);
    }

    private static IEnumerable<int> Assigned(IEnumerable<MemberEvent> events) =>
        Assert.Single(events.OfType<MemberEvent.Assigned>()).Shards.Select(shard => shard.Shard);

    private static long Generation(IEnumerable<MemberEvent> events) => events.OfType<MemberEvent.Assigned>().Single().Generation;
}
