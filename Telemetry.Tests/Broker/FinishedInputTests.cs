using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>When a group that divides an input says that all of it is sent.</summary>
public sealed class FinishedInputTests
{
    [Fact]
    public async Task F37_all_members_are_told_once_every_shard_is_finished()
    {
        await using var broker = new BrokerUnderTest();
        var (first, second) = (broker.Join("input", "a", shards: 2), broker.Join("input", "b", shards: 2));
        first.Release([1]);
        var idle = broker.Join("input", "c", shards: 2); // more members than shards
        Forget(broker, first, second, idle);

        first.Finish([0]);
        Assert.Equal((0, 0, 0), (Told(broker, first), Told(broker, second), Told(broker, idle)));
        second.Finish([1]);
        Assert.Equal((1, 1, 1), (Told(broker, first), Told(broker, second), Told(broker, idle)));
        second.Finish([1]); // no news
        Assert.Equal(0, Told(broker, second));
    }

    [Fact]
    public async Task F37_the_shards_of_a_member_that_dies_have_to_be_finished_by_who_takes_them_over()
    {
        await using var broker = new BrokerUnderTest();
        var (first, second) = (broker.Join("input", "a", shards: 2), broker.Join("input", "b", shards: 2));
        first.Release([1]);
        Forget(broker, first, second);
        second.Finish([1]); // and then it is silent
        for (var tenths = 0; tenths <= 100; tenths++)
        {
            broker.Time.Advance(TimeSpan.FromMilliseconds(100));
            first.Heartbeat();
            broker.Core.Tick();
        }
        Assert.Equal([1], broker.Drain(first).OfType<MemberEvent.Assigned>().Single().Shards.Select(shard => shard.Shard));

        first.Finish([0]);
        Assert.Equal(0, Told(broker, first));
        first.Finish([1]);
        Assert.Equal(1, Told(broker, first));
    }

    [Fact]
    public async Task F37_what_a_member_does_not_own_it_cannot_finish()
    {
        await using var broker = new BrokerUnderTest();
        var (first, second) = (broker.Join("input", "a", shards: 2), broker.Join("input", "b", shards: 2));
        first.Release([1]);
        Forget(broker, first, second);
        first.Finish([0, 1]);
        Assert.Equal((0, 0), (Told(broker, first), Told(broker, second)));
    }

    [Fact]
    public async Task A_member_that_joins_again_finishes_its_shards_anew()
    {
        await using var broker = new BrokerUnderTest();
        var first = broker.Join("input", "a", shards: 2);
        first.Finish([0]);
        first.Detach();
        var again = broker.Join("input", "a", shards: 2);
        Forget(broker, again);
        again.Finish([1]);
        Assert.Equal(0, Told(broker, again));
        again.Finish([0]);
        Assert.Equal(1, Told(broker, again));
    }

    [Fact]
    public async Task A_paused_input_is_not_finished_before_it_goes_on()
    {
        await using var broker = new BrokerUnderTest();
        var only = broker.Join("input", "a", shards: 2);
        only.Finish([0]);
        broker.Core.Groups.Get("input").Pause(true);
        only.Release([0, 1]);
        only.Finish([0, 1]); // too late: it owns nothing
        Assert.Equal(0, Told(broker, only));
        broker.Core.Groups.Get("input").Pause(false);
        only.Finish([1]);
        Assert.Equal(0, Told(broker, only));
        only.Finish([0]);
        Assert.Equal(1, Told(broker, only));
    }

    [Fact]
    public async Task Only_shards_of_an_input_can_be_finished()
    {
        await using var broker = new BrokerUnderTest();
        var refused = Assert.Throws<BrokerException>(() => broker.Join("g", "a").Finish([0]));
        Assert.Equal((ErrorCode.InvalidRequest, "finished: group 'g' divides partitions, which have no end"), (refused.Code, refused.Message));
        var unknown = Assert.Throws<BrokerException>(() => broker.Join("input", "a", shards: 2).Finish([2]));
        Assert.Equal((ErrorCode.InvalidRequest, "finished.shards: 2 is not accepted: the group has shards 0 to 1"), (unknown.Code, unknown.Message));
    }

    private static void Forget(BrokerUnderTest broker, params MemberSession[] sessions)
    {
        foreach (var session in sessions)
            broker.Drain(session);
    }

    private static int Told(BrokerUnderTest broker, MemberSession session) => broker.Drain(session).OfType<MemberEvent.AllFinished>().Count();
}
