using CsCheck;
using Telemetry.Broker.Groups;

namespace Telemetry.Tests.Broker;

/// <summary>Random lives of a group, seen from its members: what each was told decides what it believes to own.</summary>
public sealed class GroupPropertyTests
{
    private const int MembersMax = 5;
    private const int Shards = 12;

    [Fact]
    public void F16_members_that_come_and_go_never_own_a_shard_twice_and_end_balanced_or_with_nothing_where_paused() => Gen.Int[0, 99].Array[0, 60].Sample(
        steps =>
        {
            var broker = new BrokerUnderTest();
            var life = new Life(broker);
            foreach (var step in steps)
            {
                life.Step(step);
                life.NobodySharesAShard();
            }
            life.Settle();
            life.NobodySharesAShard();
            life.IsBalancedOrPaused();
            broker.DisposeAsync().AsTask().GetAwaiter().GetResult();
        },
        iter: 300);

    private sealed class Life(BrokerUnderTest broker)
    {
        private readonly Dictionary<string, Believer> _members = [];
        private bool _paused;

        public void Step(int step)
        {
            var name = "m" + (step % MembersMax);
            var member = _members.GetValueOrDefault(name);
            switch (step / MembersMax % 5)
            {
                case 0 when member is null:
                    _members[name] = new Believer(broker.Join("input", name, Shards));
                    break;
                case 0: // reconnects
                    member!.Session.Detach();
                    member.Session = broker.Join("input", name, Shards);
                    break;
                case 1 when member is not null:
                    member.Session.Leave();
                    _members.Remove(name);
                    break;
                case 2 when member is not null:
                    member.GiveBack();
                    break;
                case 3 when broker.Core.Groups.Find("input") is { } group:
                    _paused = step % 2 == 0;
                    group.Pause(_paused);
                    break;
                default: // time passes; those who heartbeat live on
                    broker.Pass(TimeSpan.FromSeconds(3));
                    foreach (var (other, believer) in _members)
                    {
                        if (other != name)
                            believer.Session.Heartbeat();
                    }
                    break;
            }
            Hear();
        }

        public void Settle()
        {
            for (var round = 0; round < 2 * Shards; round++)
            {
                foreach (var believer in _members.Values)
                    believer.GiveBack();
                Hear();
            }
        }

        public void NobodySharesAShard()
        {
            var owned = _members.Values.SelectMany(believer => believer.Owned).ToList();
            Assert.Equal(owned.Count, owned.Distinct().Count());
        }

        public void IsBalancedOrPaused()
        {
            if (_paused)
                Assert.All(_members.Values, believer => Assert.Empty(believer.Owned));
            if (_paused || _members.Count == 0)
                return;
            Assert.Equal(Shards, _members.Values.Sum(believer => believer.Owned.Count));
            var sizes = _members.Values.Select(believer => believer.Owned.Count).ToList();
            Assert.True(sizes.Max() - sizes.Min() <= 1);
        }

        private void Hear()
        {
            foreach (var (name, believer) in _members.ToList())
            {
                var events = broker.Drain(believer.Session);
                if (_paused)
                    believer.GetsNothingNew(events);
                believer.Hear(events);
                if (believer.IsFenced)
                    _members.Remove(name);
            }
        }
    }

    private sealed class Believer(MemberSession session)
    {
        private readonly HashSet<int> _revoked = [];

        public MemberSession Session { get; set; } = session;

        public HashSet<int> Owned { get; } = [];

        public bool IsFenced { get; private set; }

        public void Hear(IEnumerable<MemberEvent> events)
        {
            foreach (var next in events)
            {
                switch (next)
                {
                    case MemberEvent.Joined:
                        Owned.Clear();
                        _revoked.Clear();
                        break;
                    case MemberEvent.Assigned assigned:
                        Owned.UnionWith(assigned.Shards.Select(shard => shard.Shard));
                        break;
                    case MemberEvent.Revoked revoked:
                        _revoked.UnionWith(revoked.Shards);
                        break;
                    case MemberEvent.Fenced:
                        IsFenced = true;
                        break;
                }
            }
        }

        /// <summary>A member that is back is told what it still has to give back, and nothing else.</summary>
        public void GetsNothingNew(List<MemberEvent> events)
        {
            var assigned = events.OfType<MemberEvent.Assigned>().SelectMany(next => next.Shards.Select(shard => shard.Shard)).ToList();
            Assert.Subset(Owned, assigned.ToHashSet());
            if (events.OfType<MemberEvent.Joined>().Any())
                Assert.Equal(assigned.Order(), events.OfType<MemberEvent.Revoked>().SelectMany(next => next.Shards).Order());
            else
                Assert.Empty(assigned);
        }

        public void GiveBack()
        {
            Owned.ExceptWith(_revoked);
            Session.Release([.. _revoked]);
            _revoked.Clear();
        }
    }
}
