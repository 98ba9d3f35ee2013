using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Broker.Rpc;
using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using StoreCursor = Telemetry.Collector.Intake.PartitionCursor;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>
/// A collector: a member of the group that reads what it is assigned into the store, with the clients' own code between.
/// It may be stopped for any time; then it goes on as if nothing had happened, and is a zombie.
/// </summary>
internal sealed class SimulatedMember(string id, World world)
{
    public const string Group = "collectors";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly SortedDictionary<int, Reading> _owned = [];
    private readonly HashSet<int> _revoked = [];
    private MemberSession? _session;
    private IAsyncEnumerator<MemberEvent>? _events;
    private Task<bool> _next = Task.FromResult(false);

    /// <summary>Does nothing and hears nothing.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>What it may rightly believe to own: while it is heard, by the broker that is there now.</summary>
    public IEnumerable<int> Believed => _session is not null && !IsStopped && !HasUnheard ? _owned.Keys : [];

    private bool HasUnheard => _next.IsCompleted;

    public void StopOrGoOn()
    {
        if (IsStopped)
            GoOn();
        else
            IsStopped = true;
    }

    /// <summary>Goes on with what it was about to do: it has not heard yet what happened meanwhile.</summary>
    public void GoOn()
    {
        IsStopped = false;
        Write();
    }

    public void Join()
    {
        if (_session is not null || IsStopped)
            return;
        _session = world.Broker.Core.Groups.Join(Group, World.TopicName, 0, new MemberOptions(id, Timeout, Timeout, "simulation"));
        _events = _session.EventsAsync(CancellationToken.None).GetAsyncEnumerator();
        _next = _events.MoveNextAsync().AsTask();
        _owned.Clear();
        _revoked.Clear();
    }

    /// <summary>Its connection breaks. What it has read it may still write.</summary>
    public void Disconnect(bool brokerLives)
    {
        if (brokerLives)
            _session?.Detach();
        _session = null;
        _events = null;
        foreach (var reading in _owned.Values)
            reading.Cursor = null;
    }

    public void Leave()
    {
        if (_session is null || IsStopped)
            return;
        _session.Leave();
        _session = null;
        _owned.Clear();
    }

    public void Heartbeat()
    {
        if (!IsStopped)
            _session?.Heartbeat();
    }

    /// <summary>Takes what the coordinator says.</summary>
    public void Hear()
    {
        while (!IsStopped && _session is not null && _next.IsCompleted)
        {
            if (!_next.Result)
            {
                Disconnect(brokerLives: true);
                return;
            }
            var next = _events!.Current;
            _next = _events.MoveNextAsync().AsTask();
            Take(next);
        }
    }

    /// <summary>Reads on in a partition that it believes to own.</summary>
    public void Read()
    {
        if (IsStopped || _session is null || _owned.Count == 0)
            return;
        var (partition, reading) = world.Pick([.. _owned]);
        if (reading.Buffer.Count < 4)
            reading.Read(world, partition);
    }

    /// <summary>Writes what it has read into the store, whoever may own it by now, and tells the broker.</summary>
    public void Write()
    {
        if (IsStopped)
            return;
        foreach (var (partition, reading) in _owned.ToList())
        {
            var written = false;
            while (reading.Buffer.TryDequeue(out var step))
            {
                if (!world.Store.Write(partition, reading.OwnerEpoch, step))
                {
                    // Fenced: what it has is not written, and it takes the partition again if it is told so still.
                    _owned[partition] = new Reading(world, partition, reading.Generation);
                    written = false;
                    break;
                }
                written = true;
            }
            if (written && _session is not null && world.Store.Position(partition) is { } position)
                Commit(partition, position.NextOffset, reading.Generation);
        }
    }

    /// <summary>Gives back what was revoked; what it had read of it is dropped.</summary>
    public void GiveBack()
    {
        if (IsStopped || _session is null || _revoked.Count == 0)
            return;
        foreach (var partition in _revoked)
            _owned.Remove(partition);
        _session.Release([.. _revoked]);
        _revoked.Clear();
    }

    private void Commit(int partition, long offset, long generation)
    {
        var (error, message) = world.Broker.Core.Groups.Get(Group).Commit(id, partition, offset, generation);
        world.Trace("commit " + error, offset);
        Assert.True(error is ErrorCode.Ok or ErrorCode.MemberFenced or ErrorCode.UnknownMember, $"a commit of {offset} was refused: {error}: {message}");
    }

    private void Take(MemberEvent next)
    {
        world.Trace(next.GetType().Name, id[^1]);
        switch (next)
        {
            case MemberEvent.Assigned assigned:
                foreach (var shard in assigned.Shards)
                    _owned[shard.Shard] = new Reading(world, shard.Shard, assigned.Generation);
                break;
            case MemberEvent.Revoked revoked:
                _revoked.UnionWith(revoked.Shards);
                break;
            case MemberEvent.Fenced:
                _owned.Clear();
                Disconnect(brokerLives: true);
                break;
        }
    }

    /// <summary>One assignment of a partition.</summary>
    private sealed class Reading
    {
        private readonly StoreCursor _store;
        private FetchPosition? _position;

        public Reading(World world, int partition, long generation)
        {
            Generation = generation;
            OwnerEpoch = world.Store.Acquire(partition);
            _store = new StoreCursor(world.Store.Position(partition));
        }

        public long Generation { get; }

        public long OwnerEpoch { get; }

        public Queue<PartitionStep> Buffer { get; } = [];

        /// <summary>The broker's side of the stream; null: there is none.</summary>
        public Telemetry.Broker.Log.PartitionCursor? Cursor { get; set; }

        public void Read(World world, int partition)
        {
            var log = world.Topic.Partitions[partition];
            if (Cursor is null)
            {
                _position ??= new FetchPosition(World.TopicName, partition, _store.Next, new FetchOptions());
                Cursor = Telemetry.Broker.Log.PartitionCursor.Open(log, Requests.From(_position.Start()));
                Apply(new FetchResponse { Started = new FetchStarted { Log = log.Log.ToMessage(), Offset = Cursor.Next, LogStartOffset = log.StartOffset } });
                return;
            }
            var batches = new List<StoredBatch>();
            var read = Cursor.ReadAsync(1 + world.Next(10_000), batches, CancellationToken.None).AsTask();
            Assert.True(read.IsCompleted);
            if (read.Result is { } gap)
                Apply(new FetchResponse { Gap = new Gap { FromOffset = gap.From, ToOffset = gap.To, Reason = gap.Reason } });
            foreach (var batch in batches)
                Apply(new FetchResponse { Batch = batch.ToMessage(), HighWatermark = log.HighWatermark });
        }

        private void Apply(FetchResponse response)
        {
            foreach (var fetched in _position!.Apply(response))
            {
                if (_store.Take(fetched) is { } step)
                    Buffer.Enqueue(step);
            }
        }
    }
}
