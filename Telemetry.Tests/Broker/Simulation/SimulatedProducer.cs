using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>
/// A producer with its retries, over a network that loses, doubles, delays and reorders what it sends. When it is killed, a
/// zombie of it may go on sending while its successor is open.
/// </summary>
internal sealed class SimulatedProducer(string id, World world)
{
    private const int UnderWayMax = 4;

    private readonly long[] _acknowledged = new long[World.Partitions];
    private readonly List<(int Partition, long EndSequence, int Number)> _acknowledgements = [];
    private readonly List<Incarnation> _zombies = [];
    private Incarnation? _current;
    private Task<(int Epoch, ProducerSnapshot[] Partitions)>? _opening;

    public string Id => id;

    /// <summary>Whether everything that it sent is acknowledged.</summary>
    public bool IsDone => _current is { } current && _opening is null && current.Unacknowledged.All(batches => batches.Count == 0);

    /// <summary>The sequence after the last that was acknowledged, in each partition.</summary>
    public IReadOnlyList<long> Acknowledged => _acknowledged;

    /// <summary>The process is gone; what it had sent may still arrive, and it may be a zombie that sends on.</summary>
    public void Die()
    {
        if (_current is { } dead && world.Chance(2))
            _zombies.Add(dead);
        _current = null;
        _opening = null;
    }

    /// <summary>The broker is another one: an opening that was under way is not answered any more.</summary>
    public void OnBrokerLost() => _opening = null;

    /// <summary>The power went: what it knows to be acknowledged is what has to be there for ever.</summary>
    public void OnPowerCut()
    {
        _acknowledgements.RemoveAll(acknowledgement => !world.Bound.IsSafe(acknowledgement.Number));
        Array.Clear(_acknowledged);
        foreach (var (partition, endSequence, _) in _acknowledgements)
            _acknowledged[partition] = Math.Max(_acknowledged[partition], endSequence);
    }

    /// <summary>Opens, or goes on with the opening.</summary>
    public void Open()
    {
        if (_current is not null)
            return;
        _opening ??= world.Topic.OpenProducerAsync(id, CancellationToken.None);
        if (!_opening.IsCompleted)
            return;
        var opened = _opening;
        _opening = null;
        if (!opened.IsCompletedSuccessfully)
            return; // a storage that failed, or is full; tried again
        var (epoch, snapshots) = opened.Result;
        _current = new Incarnation(epoch);
        for (var p = 0; p < World.Partitions; p++)
        {
            Assert.True(snapshots[p].NextSequence >= _acknowledged[p], $"{id}/{p}: {_acknowledged[p]} was acknowledged, and the log knows {snapshots[p].NextSequence}");
            if (snapshots[p].NextSequence > 0)
                Assert.Equal(SourceBatch.PositionAt(snapshots[p].NextSequence), snapshots[p].SourcePosition.ToArray());
            _current.Next[p] = snapshots[p].NextSequence;
        }
        world.Trace("open", epoch);
    }

    /// <summary>Sends a new batch, or all again that was not answered.</summary>
    public void Send(bool isNew)
    {
        if (world.Chance(8) && _zombies.Count > 0)
            Resend(world.Pick(_zombies), world.Next(World.Partitions));
        if (_current is not { } current)
            return;
        var partition = world.Next(World.Partitions);
        if (!isNew || current.Unacknowledged[partition].Count >= UnderWayMax)
        {
            Resend(current, partition);
            return;
        }
        var batch = new SourceBatch(id, partition, current.Next[partition], 1 + world.Next(5), world.Next(8) == 0 ? world.Next(6000) : world.Next(200));
        current.Next[partition] = batch.EndSequence;
        current.Unacknowledged[partition].Add(batch);
        world.Send(new Request(this, current, batch));
    }

    /// <summary>Sends again everything that is not acknowledged.</summary>
    public void ResendAll()
    {
        for (var p = 0; p < World.Partitions && _current is not null; p++)
            Resend(_current, p);
    }

    public void Receive(Request request, PublishOutcome outcome)
    {
        var (_, incarnation, batch) = request;
        world.Trace(outcome.Error.ToString(), outcome.BaseOffset);
        switch (outcome.Error)
        {
            case ErrorCode.Ok:
                Assert.True(outcome.BaseOffset >= 0 || outcome.Duplicate);
                world.Oracle.Acknowledge(batch, outcome.BaseOffset);
                incarnation.Unacknowledged[batch.Partition].RemoveAll(other => other.EndSequence <= batch.EndSequence);
                _acknowledged[batch.Partition] = Math.Max(_acknowledged[batch.Partition], batch.EndSequence);
                _acknowledgements.Add((batch.Partition, batch.EndSequence, world.Bound.Note()));
                break;
            case ErrorCode.OutOfOrderSequence when world.Bound.IsRelaxed && incarnation == _current:
                // The log may have lost what it acknowledged: opening tells where it is now.
                _current = null;
                break;
            case ErrorCode.UnknownProducer when world.Bound.IsRelaxed: // the opening was lost
            case ErrorCode.ProducerFenced:
                // The open one is fenced when the answer to a later opening was lost: then it opens again.
                _zombies.Remove(incarnation);
                if (incarnation == _current)
                    _current = null;
                break;
            case ErrorCode.OutOfOrderSequence or ErrorCode.PartitionFull or ErrorCode.DiskFull or ErrorCode.StorageFailed:
                break; // sent again later
            default:
                Assert.Fail($"{id} was refused with {outcome.Error}: {outcome.Message}");
                break;
        }
    }

    private void Resend(Incarnation incarnation, int partition)
    {
        foreach (var batch in incarnation.Unacknowledged[partition])
            world.Send(new Request(this, incarnation, batch));
    }

    /// <summary>One life of the producer.</summary>
    internal sealed class Incarnation(int epoch)
    {
        public int Epoch { get; } = epoch;

        public long[] Next { get; } = new long[World.Partitions];

        public List<SourceBatch>[] Unacknowledged { get; } = [.. Enumerable.Range(0, World.Partitions).Select(_ => new List<SourceBatch>())];
    }
}

/// <summary>A publish on its way.</summary>
internal sealed record Request(SimulatedProducer Producer, SimulatedProducer.Incarnation Incarnation, SourceBatch Batch);
