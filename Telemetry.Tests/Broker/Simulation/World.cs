using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Tests.Broker.Durable;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>
/// A broker on a disk, producers, a network and collectors, and everything that can go wrong with them, in an order that a
/// seed decides. Whatever happens, the checks hold after each step, and once nothing goes wrong any more all of it gets
/// through.
/// </summary>
internal sealed class World
{
    public const int Partitions = 2;
    public const string TopicName = "telemetry";

    private const int Steps = 350;
    private const int SettleRoundsMax = 3000;

    private readonly Random _random;
    private readonly SimulatedScheduler _scheduler;
    private readonly List<SimulatedProducer> _producers;
    private readonly List<SimulatedMember> _members;
    private readonly List<Request> _network = [];
    private readonly List<(Request Request, PublishTicket Answer)> _underWay = [];
    private readonly long[] _savedOffsets = new long[Partitions];
    private readonly bool _expires;
    private readonly bool[] _lost = new bool[Partitions];
    private readonly bool[] _storeLost = new bool[Partitions];
    private HashCode _trace;

    public World(int seed)
    {
        _random = new Random(seed);
        _scheduler = new SimulatedScheduler(_random);
        _expires = seed % 4 == 0;
        var fsync = seed % 3 == 0 ? TimeSpan.FromSeconds(1 + (seed % 8)) : TimeSpan.Zero;
        _producers = [.. Enumerable.Range(0, 3).Select(p => new SimulatedProducer($"p{p}", this))];
        _members = [.. Enumerable.Range(0, 3).Select(m => new SimulatedMember($"m{m}", this))];
        Broker = new DurableBroker(
            records: 400,
            newId: NewId,
            partitions: Partitions,
            ttl: _expires ? TimeSpan.FromSeconds(60) : TimeSpan.FromHours(24),
            fsync: fsync);
        Bound = new SyncBound(fsync, Broker.Time);
        Oracle = new Oracle(Bound);
        Broker.Core.Topics.Create(TopicName, Partitions);
    }

    public DurableBroker Broker { get; private set; }

    public Topic Topic => Broker.Core.Topics.Get(TopicName);

    public SimulatedStore Store { get; } = new();

    public Oracle Oracle { get; }

    /// <summary>What a power cut may take.</summary>
    public SyncBound Bound { get; }

    /// <summary>Power cuts that took what was acknowledged.</summary>
    public int Losses { get; private set; }

    /// <summary>Restarts of the broker, of whatever kind.</summary>
    public int Restarts { get; private set; }

    /// <summary>A number below another.</summary>
    public int Next(int end) => _random.Next(end);

    /// <summary>True one time of so many.</summary>
    public bool Chance(int of) => _random.Next(of) == 0;

    public T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    public void Trace(string what, long number)
    {
        foreach (var c in what)
            _trace.Add(c);
        _trace.Add(number);
    }

    public void Send(Request request) => _network.Add(request);

    /// <summary>Runs the schedule.</summary>
    /// <returns>A number that is the same each time, for the same seed.</returns>
    public long Run()
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_scheduler);
        try
        {
            for (var step = 0; step < Steps; step++)
            {
                Step();
                if (Broker.Disk.IsDead)
                    Crash(powerCut: Chance(2));
                CheckOwners();
            }
            Settle();
            CheckAll();
            return ((long)_trace.ToHashCode() << 32) + Oracle.Count;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 18: Pick(_producers).Send(isNew: true); break;
            case < 20: Pick(_producers).Send(isNew: false); break;
            case < 25: Pick(_producers).Open(); break;
            case < 26 when Chance(3): Pick(_producers).Die(); break;
            case < 40: Deliver(); Deliver(); break;
            case < 50: Broker.Committer.RunOnce(); break;
            case < 60: Answer(); break;
            case < 64: Pass(Chance(4) ? TimeSpan.FromSeconds(11) : TimeSpan.FromMilliseconds(_random.Next(2000))); break;
            case < 92: MoveMember(Pick(_members)); break;
            case < 93: Save(); break;
            case < 99: _scheduler.RunAll(); break;
            default: GoWrong(); break;
        }
        _scheduler.RunSome();
    }

    private void MoveMember(SimulatedMember member)
    {
        switch (_random.Next(40))
        {
            case < 5: member.Join(); break;
            case < 6: member.Disconnect(brokerLives: true); break;
            case < 7: member.Leave(); break;
            case < 9: member.StopOrGoOn(); break;
            case < 16: member.Hear(); break;
            case < 19: member.GiveBack(); break;
            case < 33: member.Read(); break;
            default: member.Write(); break;
        }
    }

    private void GoWrong()
    {
        switch (_random.Next(10))
        {
            case < 2: Crash(powerCut: false); break;
            case < 4: Crash(powerCut: true); break;
            case < 6: Broker.Disk.DiesAfter = _random.Next(20); break;
            case < 7: RestartInOrder(); break;
            case < 8: Broker.Disk.Room = Broker.Disk.Room is null ? _random.Next(3000) : null; break;
            case < 9: FailSync(); break;
            default: Broker.Time.Jump = _expires || Bound.IsRelaxed ? TimeSpan.Zero : TimeSpan.FromHours(_random.Next(-1, 2)); break;
        }
    }

    /// <summary>A request arrives: any of those under way, and it may arrive again.</summary>
    private void Deliver()
    {
        if (_network.Count == 0)
            return;
        // Mostly in order, as a connection has it.
        var index = Chance(6) ? _random.Next(_network.Count) : 0;
        var request = _network[index];
        if (!Chance(12))
            _network.RemoveAt(index);
        if (Chance(15))
            return; // lost
        var (_, incarnation, batch) = request;
        var publish = Topic.Partitions[batch.Partition].Publish(
            new PublishBatch(batch.ToBytes(), batch.Records, batch.Producer, incarnation.Epoch, batch.Sequence, batch.Position()), TimeSpan.Zero, CancellationToken.None);
        _underWay.Add((request, publish));
    }

    /// <summary>Answers arrive, or are lost.</summary>
    private void Answer()
    {
        for (var i = 0; i < _underWay.Count;)
        {
            var (request, answer) = _underWay[i];
            if (!answer.IsCompleted)
            {
                i++;
                continue;
            }
            _underWay.RemoveAt(i);
            if (!Chance(10))
                request.Producer.Receive(request, answer.OutcomeAsync().AsTask().Result);
        }
    }

    private void Pass(TimeSpan time)
    {
        Broker.Time.Advance(time);
        foreach (var member in _members)
            member.Heartbeat();
        Broker.Core.Tick();
        if (!Bound.IsRelaxed)
            return;
        // Its thread runs as often as it has to sync.
        Broker.Committer.RunOnce();
        if (!Broker.Disk.IsDead)
            Bound.OnTimePassed();
    }

    private void Save()
    {
        try
        {
            Broker.Core.Groups.Save();
        }
        catch (IOException)
        {
            return; // the disk is full or dead; what was saved before is there still
        }
        foreach (var shard in Broker.Core.Groups.Find(SimulatedMember.Group)?.Describe().Shards ?? [])
            _savedOffsets[shard.Shard] = shard.Committed;
    }

    private void FailSync()
    {
        Bound.OnSyncFailed();
        Broker.Disk.FailSync = true;
        Broker.Committer.RunOnce();
        Broker.Disk.FailSync = false;
    }

    private void Crash(bool powerCut)
    {
        // What was on its way to the dead one is lost with its connections, or arrives at the next.
        _network.RemoveAll(_ => Chance(2));
        if (!powerCut || !Bound.IsRelaxed)
        {
            Begin(Broker.Restart(powerCut ? _random : null));
            return;
        }
        var ends = Topic.Partitions.Select(partition => partition.HighWatermark).ToList();
        // A machine needs its time to come up; an epoch that was given and lost is not given again.
        Broker.Time.Advance(TimeSpan.FromSeconds(5));
        var next = Broker.Restart(_random);
        foreach (var partition in next.Core.Topics.Get(TopicName).Partitions)
            TakeLoss(partition, ends[partition.Partition]);
        foreach (var producer in _producers)
            producer.OnPowerCut();
        Begin(next);
    }

    private void TakeLoss(PartitionLog log, long endBefore)
    {
        var p = log.Partition;
        if (Oracle.GiveUpLost(log))
            Losses++;
        _lost[p] |= log.HighWatermark < endBefore;
        _storeLost[p] |= Store.Position(p)?.NextOffset > log.HighWatermark;
        _savedOffsets[p] = Math.Min(_savedOffsets[p], log.HighWatermark);
    }

    private void RestartInOrder()
    {
        Broker.Core.Stop();
        Save();
        var closing = Broker.Core.DisposeAsync().AsTask();
        while (!closing.IsCompleted)
        {
            Broker.Committer.RunOnce();
            _scheduler.RunAll();
        }
        if (!Broker.Disk.IsDead)
            Answer();
        Begin(Broker.Restart());
    }

    private void Begin(DurableBroker next)
    {
        Restarts++;
        Broker = next;
        Bound.OnRestarted();
        _underWay.Clear();
        foreach (var producer in _producers)
            producer.OnBrokerLost();
        foreach (var member in _members)
            member.Disconnect(brokerLives: false);
        CheckAll();
        var shards = Broker.Core.Groups.Find(SimulatedMember.Group)?.Describe().Shards ?? [];
        for (var p = 0; p < Partitions && _savedOffsets.Any(saved => saved >= 0); p++)
            Assert.True(_savedOffsets[p] <= 0 || shards[p].Committed >= _savedOffsets[p], $"partition {p}: the group was at {_savedOffsets[p]}, and fell back");
        Trace("restart", Topic.Partitions.Sum(partition => partition.HighWatermark));
    }

    /// <summary>Nobody shares a partition, of those who have heard all there was to hear.</summary>
    private void CheckOwners()
    {
        _scheduler.RunAll();
        var owned = _members.SelectMany(member => member.Believed).ToList();
        Assert.Equal(owned.Distinct().Count(), owned.Count);
    }

    private void CheckAll()
    {
        foreach (var partition in Topic.Partitions)
        {
            Assert.Equal(0, partition.DamagedRecords);
            Oracle.Check(partition, ReadAll(partition));
        }
        if (!_expires && !_lost.Contains(true))
            Assert.Empty(Store.Gaps);
    }

    private static List<StoredBatch> ReadAll(PartitionLog partition)
    {
        var all = new List<StoredBatch>();
        for (var next = partition.StartOffset; next < partition.HighWatermark; next = all[^1].EndOffset)
        {
            var had = all.Count;
            Assert.True(partition.ReadAsync(next, 1 << 16, all, CancellationToken.None).AsTask().IsCompletedSuccessfully);
            if (all.Count == had)
                break;
        }
        return all;
    }

    /// <summary>Nothing goes wrong any more: everything that a producer has sent gets acknowledged, and into the store.</summary>
    private void Settle()
    {
        Broker.Disk.Room = null;
        Broker.Disk.DiesAfter = null;
        if (Topic.Partitions.Any(partition => partition.Failed))
            Crash(powerCut: true);
        foreach (var member in _members)
            member.GoOn();
        for (var round = 0; !IsSettled(); round++)
        {
            Assert.True(round < SettleRoundsMax, "it does not come to an end");
            Pass(TimeSpan.FromMilliseconds(20));
            foreach (var producer in _producers)
            {
                producer.Open();
                if (round % 10 == 0)
                    producer.ResendAll();
            }
            while (_network.Count > 0)
                Deliver();
            Broker.Committer.RunOnce();
            _scheduler.RunAll();
            Answer();
            foreach (var member in _members)
            {
                member.Join();
                member.Hear();
                member.Read();
                member.Write();
                member.GiveBack();
            }
        }
        for (var p = 0; p < Partitions; p++)
        {
            if (_storeLost[p] || !_lost[p])
                Assert.Equal(_storeLost[p], Store.KnowsOfLoss(p));
        }
        foreach (var producer in _producers)
        {
            for (var p = 0; p < Partitions; p++)
            {
                if (Store.Sequence(p, producer.Id) is var sequence and >= 0)
                    Assert.True(sequence >= producer.Acknowledged[p], $"{producer.Id}/{p}: {producer.Acknowledged[p]} records were acknowledged, {sequence} are in the store");
            }
        }
    }

    private bool IsSettled() =>
        _producers.All(producer => producer.IsDone)
        && _network.Count == 0
        && Topic.Partitions.All(partition => (Store.Position(partition.Partition)?.NextOffset ?? 0) == partition.HighWatermark)
        && Topic.Partitions.All(partition => Store.Position(partition.Partition) is not { } position || position.NextOffset <= partition.EpochEnd(position.LogEpoch));

    private Guid NewId()
    {
        var bytes = new byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
