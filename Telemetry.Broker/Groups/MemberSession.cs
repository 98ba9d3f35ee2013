using System.Threading.Channels;

namespace Telemetry.Broker.Groups;

/// <summary>One stream of a member. A member that reconnects gets a new one, and the old one is fenced.</summary>
internal sealed class MemberSession
{
    private readonly Channel<MemberEvent> _events = Channel.CreateUnbounded<MemberEvent>(new UnboundedChannelOptions { SingleReader = true });
    private int _heartbeatWaits;

    internal MemberSession(Group group, Member member)
    {
        Group = group;
        Member = member;
    }

    internal Group Group { get; }

    internal Member Member { get; }

    /// <summary>The member's id.</summary>
    public string MemberId => Member.Id;

    /// <summary>What to tell the member, in order; ends after <see cref="MemberEvent.Fenced"/> or when the member left.</summary>
    public async IAsyncEnumerable<MemberEvent> EventsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Not ReadAllAsync: that continues on any thread, and the caller decides where this does.
        while (await _events.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_events.Reader.TryRead(out var next))
            {
                if (next is MemberEvent.Heartbeat)
                    Volatile.Write(ref _heartbeatWaits, 0);
                yield return next;
            }
        }
    }

    /// <summary>The member lives.</summary>
    public void Heartbeat()
    {
        Group.Heartbeat(this);
        // A member that sends heartbeats and does not read the answers gets one at the end, not a heap of them.
        if (Interlocked.Exchange(ref _heartbeatWaits, 1) == 0)
            _events.Writer.TryWrite(MemberEvent.Heartbeat.Instance);
    }

    /// <summary>The member has finished with revoked shards.</summary>
    /// <exception cref="BrokerException">A shard does not exist.</exception>
    public void Release(IReadOnlyList<int> shards) => Group.Release(this, shards);

    /// <summary>The member has nothing left to send of these shards of an input.</summary>
    /// <exception cref="BrokerException">A shard does not exist, or is a partition.</exception>
    public void Finish(IReadOnlyList<int> shards) => Group.Finish(this, shards);

    /// <summary>The member gives everything back.</summary>
    public void Leave() => Group.Leave(this);

    /// <summary>The stream is gone: the member keeps its shards until it is back or its session is over.</summary>
    public void Detach() => Group.Detach(this);

    internal void Tell(MemberEvent next) => _events.Writer.TryWrite(next);

    internal void End(Exception? reason = null) => _events.Writer.TryComplete(reason);
}
