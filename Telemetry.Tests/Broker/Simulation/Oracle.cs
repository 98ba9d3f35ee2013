using Telemetry.Broker.Log;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>What was acknowledged, and what must be true of a log because of it.</summary>
internal sealed class Oracle(SyncBound bound)
{
    private readonly SortedDictionary<long, (SourceBatch Batch, int Number)>[] _acknowledged = [.. Enumerable.Range(0, World.Partitions).Select(_ => new SortedDictionary<long, (SourceBatch Batch, int Number)>())];

    /// <summary>Acknowledged batches.</summary>
    public int Count => _acknowledged.Sum(batches => batches.Count);

    /// <summary>Notes an acknowledgement; an offset of -1 is one that the broker has forgotten.</summary>
    public void Acknowledge(SourceBatch batch, long offset)
    {
        if (offset < 0)
            return;
        if (!_acknowledged[batch.Partition].TryAdd(offset, (batch, bound.Note())))
            Assert.Equal(_acknowledged[batch.Partition][offset].Batch, batch);
    }

    /// <summary>After a power cut: what was acknowledged and is not there any more is given up, if that may be so.</summary>
    /// <returns>Whether there was any.</returns>
    public bool GiveUpLost(PartitionLog log)
    {
        var lost = _acknowledged[log.Partition].Where(acknowledged => acknowledged.Key >= log.HighWatermark).ToList();
        foreach (var (offset, (batch, number)) in lost)
        {
            Assert.False(bound.IsSafe(number), $"partition {log.Partition} ends at {log.HighWatermark}; {offset}, {batch}, was acknowledged longer ago than FSYNC says");
            _acknowledged[log.Partition].Remove(offset);
        }
        return lost.Count > 0;
    }

    /// <summary>
    /// Checks a partition's log: what was acknowledged can be read unless it was dropped by the rules, offsets are dense, and
    /// the records of each producer come in order, each once.
    /// </summary>
    public void Check(PartitionLog log, IReadOnlyList<StoredBatch> read)
    {
        var acknowledged = _acknowledged[log.Partition];
        var next = log.StartOffset;
        var sequences = new Dictionary<string, long>();
        foreach (var stored in read)
        {
            var batch = SourceBatch.Read(stored.Payload.Span);
            Assert.Equal((batch.Producer, batch.Partition, batch.Sequence, batch.Records), (stored.ProducerId, log.Partition, stored.BaseSequence, stored.RecordCount));
            Assert.Equal(next, stored.BaseOffset);
            next = stored.EndOffset;
            if (sequences.TryGetValue(batch.Producer, out var sequence))
                Assert.Equal(sequence, batch.Sequence);
            sequences[batch.Producer] = batch.EndSequence;
            if (acknowledged.TryGetValue(stored.BaseOffset, out var known))
                Assert.Equal(known.Batch, batch);
        }
        Assert.Equal(log.HighWatermark, next);
        if (acknowledged.Count > 0)
        {
            var last = acknowledged.Last();
            Assert.True(last.Key + last.Value.Batch.Records <= next, $"partition {log.Partition} ends at {next}; {last.Key + last.Value.Batch.Records} was acknowledged");
        }
    }
}
