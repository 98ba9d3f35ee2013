using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Groups;

/// <summary>
/// A group: who is in it, who owns which shard, and how far it has read. Nothing in here has a thread or a timer:
/// <see cref="Tick"/> makes time pass. Locks are taken in the order group, partition.
/// </summary>
internal sealed partial class Group
{
    private readonly Lock _sync = new();
    private readonly BrokerClock _clock;
    private readonly BrokerMetrics _metrics;
    private readonly BrokerLimits _limits;
    private readonly List<Member> _members = []; // in the order in which they joined
    private readonly LagHistory _lags = new();
    private volatile Shard[] _shards;
    private long _generation;
    private bool _paused;
    private BrokerException? _closed;

    public Group(string name, Topic topic, int inputShards, BrokerClock clock, BrokerMetrics metrics, BrokerLimits limits, StoredGroup? stored = null)
    {
        Name = name;
        Topic = topic;
        InputShards = inputShards;
        _clock = clock;
        _metrics = metrics;
        _limits = limits;
        _shards = [.. Enumerable.Range(0, inputShards > 0 ? inputShards : topic.Partitions.Count)
            .Select(number => new Shard(number, inputShards > 0 ? null : topic.Partitions[number], new GroupProgress(name)))];
        if (stored is not null)
            Restore(stored);
        foreach (var shard in _shards)
            shard.Partition?.AddGroup(shard.Progress);
    }

    public string Name { get; }

    public Topic Topic { get; }

    /// <summary>How many shards of an input it divides; 0: it divides the topic's partitions.</summary>
    public int InputShards { get; }

    /// <summary>Whether its shards are of an input.</summary>
    public bool DividesInput => InputShards > 0;

    /// <summary>Whether its members get no shards.</summary>
    public bool IsPaused
    {
        get
        {
            lock (_sync)
                return _paused;
        }
    }

    /// <summary>
    /// Takes a member in. One that is in already and comes with a new stream keeps its shards, with new generations; its old
    /// stream is fenced.
    /// </summary>
    /// <exception cref="BrokerException">The group is gone or full.</exception>
    public MemberSession Join(MemberOptions options, Func<Guid> newId)
    {
        lock (_sync)
        {
            if (_closed is { } reason)
                throw new BrokerException(reason.Code, reason.Message);
            var member = options.MemberId.Length > 0 ? FindMember(options.MemberId) : null;
            var isNew = member is null;
            if (member is null)
            {
                if (_members.Count >= _limits.MembersMax)
                    throw BrokerException.Invalid($"group: '{Name}' has {_members.Count} members, the most that a group may have");
                member = new Member(options.MemberId.Length > 0 ? options.MemberId : $"m-{newId():N}", options, _clock.UnixMs);
                _members.Add(member);
            }
            else if (member.Session is { } older)
            {
                _metrics.Fenced("member");
                older.Tell(new MemberEvent.Fenced(ErrorCode.MemberFenced, $"member '{member.Id}' joined again on another connection"));
                older.End();
            }
            member.Options = options;
            member.SeenLogMs = _clock.LogMs;
            var session = member.Session = new MemberSession(this, member);
            session.Tell(new MemberEvent.Joined(member.Id, options.SessionTimeout, _shards.Length));
            if (isNew)
                Rebalance(member);
            else
                Resume(member);
            return session;
        }
    }

    /// <summary>The member of this stream lives.</summary>
    public void Heartbeat(MemberSession session)
    {
        lock (_sync)
            Touch(session);
    }

    /// <summary>Takes revoked shards back. What the member was not asked for, it keeps.</summary>
    /// <exception cref="BrokerException">A shard does not exist.</exception>
    public void Release(MemberSession session, IReadOnlyList<int> shards)
    {
        ThrowIfUnknown("revoked.shards", shards);
        lock (_sync)
        {
            if (!Touch(session))
                return;
            foreach (var number in shards)
            {
                var shard = _shards[number];
                if (shard.Owner == session.Member && shard.RevokeDeadlineLogMs is not null)
                    Free(shard);
            }
            Rebalance();
        }
    }

    /// <summary>
    /// Notes that a member has nothing left to send of shards of an input. Once every shard is finished by the member that
    /// owns it, all are told: until then each is needed, because it takes over the shards of one that dies.
    /// </summary>
    /// <exception cref="BrokerException">A shard does not exist, or is a partition.</exception>
    public void Finish(MemberSession session, IReadOnlyList<int> shards)
    {
        if (!DividesInput)
            throw BrokerException.Invalid($"finished: group '{Name}' divides partitions, which have no end");
        ThrowIfUnknown("finished.shards", shards);
        lock (_sync)
        {
            if (!Touch(session))
                return;
            var news = shards.Select(number => _shards[number]).Where(shard => shard.Owner == session.Member && !shard.IsFinished).ToList();
            foreach (var shard in news)
                shard.IsFinished = true;
            if (news.Count == 0 || !_shards.All(shard => shard.IsFinished))
                return;
            foreach (var member in _members)
                member.Session?.Tell(MemberEvent.AllFinished.Instance);
        }
    }

    /// <summary>Takes the member of this stream out, and gives its shards to the others at once.</summary>
    public void Leave(MemberSession session)
    {
        lock (_sync)
        {
            if (session.Member.Session == session)
            {
                Remove(session.Member);
                Rebalance();
            }
        }
        session.End();
    }

    /// <summary>The stream of a member broke. Its session goes on: it is out when it does not come back in time.</summary>
    public void Detach(MemberSession session)
    {
        lock (_sync)
        {
            if (session.Member.Session == session)
                session.Member.Session = null;
        }
        session.End();
    }

    /// <summary>Lets time pass: takes out members that were silent, or kept revoked shards, for too long.</summary>
    public void Tick()
    {
        lock (_sync)
        {
            var now = _clock.LogMs;
            var silent = _members.Where(member => now - member.SeenLogMs > member.Options.SessionTimeout.TotalMilliseconds).ToList();
            foreach (var member in silent)
                Fence(member, $"member '{member.Id}' was silent for longer than its session timeout of {member.Options.SessionTimeout.TotalMilliseconds:0} ms");
            var late = _shards.Where(shard => shard.RevokeDeadlineLogMs < now).Select(shard => shard.Owner!).Distinct().ToList();
            foreach (var member in late)
                Fence(member, $"member '{member.Id}' did not give back its shards within its rebalance timeout of {member.Options.RebalanceTimeout.TotalMilliseconds:0} ms");
            if (silent.Count + late.Count > 0)
                Rebalance();
        }
    }

    /// <summary>Takes all shards from the members, who stay, or gives them out again. What it is already it stays.</summary>
    public void Pause(bool paused)
    {
        lock (_sync)
        {
            if (_paused == paused)
                return;
            _paused = paused;
            Rebalance();
        }
    }

    /// <summary>Divides what the topic has more than before.</summary>
    public void AddPartitions()
    {
        lock (_sync)
        {
            if (DividesInput)
                return;
            var more = Topic.Partitions.Skip(_shards.Length).Select(partition => new Shard(partition.Partition, partition, new GroupProgress(Name))).ToList();
            foreach (var shard in more)
                shard.Partition!.AddGroup(shard.Progress);
            _shards = [.. _shards, .. more];
            Rebalance();
        }
    }

    /// <summary>Takes everybody out, for good: the group or its topic was deleted.</summary>
    /// <param name="code">Why.</param>
    /// <param name="message">A sentence for the members.</param>
    /// <param name="onlyIfIdle">Refuse when there are members.</param>
    /// <param name="first">What has to be done before; where it throws, nothing is changed.</param>
    /// <exception cref="BrokerException">There are members.</exception>
    public void Close(ErrorCode code, string message, bool onlyIfIdle, Action? first = null)
    {
        lock (_sync)
        {
            if (onlyIfIdle)
                ThrowIfActive();
            first?.Invoke();
            _closed = new BrokerException(code, message);
            foreach (var member in _members.ToList())
                Fence(member, message, code);
            foreach (var shard in _shards)
                shard.Partition?.RemoveGroup(shard.Progress);
        }
    }

    /// <summary>Ends all streams because the broker stops; offsets stay.</summary>
    public void Stop(BrokerException reason)
    {
        lock (_sync)
        {
            _closed = reason;
            foreach (var member in _members)
                member.Session?.End(reason);
        }
    }

    private Member? FindMember(string id) => _members.Find(member => member.Id == id);

    private void ThrowIfActive()
    {
        if (_members.Count > 0)
            throw new BrokerException(ErrorCode.GroupActive, $"group '{Name}' has {_members.Count} {(_members.Count == 1 ? "member: stop it" : "members: stop them")} first");
    }

    private void ThrowIfUnknown(string field, IReadOnlyList<int> shards)
    {
        foreach (var number in shards)
        {
            if ((uint)number >= (uint)_shards.Length)
                throw BrokerException.Invalid($"{field}: {number} is not accepted: the group has shards 0 to {_shards.Length - 1}");
        }
    }

    private bool Touch(MemberSession session)
    {
        if (session.Member.Session != session)
            return false;
        session.Member.SeenLogMs = _clock.LogMs;
        return true;
    }

    private void Fence(Member member, string message, ErrorCode code = ErrorCode.MemberFenced)
    {
        _metrics.Fenced("member");
        member.Session?.Tell(new MemberEvent.Fenced(code, message));
        member.Session?.End();
        Remove(member);
    }

    private void Remove(Member member)
    {
        _members.Remove(member);
        member.Session = null;
        foreach (var shard in _shards)
        {
            if (shard.Owner == member)
                Free(shard);
            if (shard.Target == member)
                shard.Target = null;
        }
    }

    private static void Free(Shard shard)
    {
        shard.Owner = null;
        shard.IsFinished = false;
        shard.RevokeDeadlineLogMs = null;
    }
}
