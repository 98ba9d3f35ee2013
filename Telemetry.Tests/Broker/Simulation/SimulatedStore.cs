using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;
using Telemetry.Storage;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>A store that does what the collectors' does: owner epochs, and compare-and-set of the position. It must get every record once.</summary>
internal sealed class SimulatedStore
{
    private readonly Part[] _parts = [.. Enumerable.Range(0, World.Partitions).Select(_ => new Part())];

    /// <summary>What was recorded as missing.</summary>
    public IEnumerable<LogGap> Gaps => _parts.SelectMany(part => part.Gaps);

    /// <summary>Whether it knows that a partition's log has lost records that it had read.</summary>
    public bool KnowsOfLoss(int partition) => _parts[partition].Gaps.Any(gap => gap.Reason == PartitionCursor.LogReplaced);

    /// <summary>Writes that were refused.</summary>
    public int Refused { get; private set; }

    public LogPosition? Position(int partition) => _parts[partition].Position;

    /// <summary>How many records of a producer are there, from the first on; -1 when some are missing because they expired.</summary>
    public long Sequence(int partition, string producer) => _parts[partition].Gaps.Count > 0 ? -1 : _parts[partition].Sequences.GetValueOrDefault(producer);

    /// <summary>Takes a partition; who had it before is fenced.</summary>
    public long Acquire(int partition) => ++_parts[partition].OwnerEpoch;

    /// <summary>Writes a step.</summary>
    /// <returns>False when it is refused.</returns>
    public bool Write(int partition, long ownerEpoch, PartitionStep step)
    {
        var part = _parts[partition];
        if (part.OwnerEpoch != ownerEpoch || part.Position != step.From)
        {
            Refused++;
            return false;
        }
        foreach (var gap in step.Gaps)
        {
            part.Gaps.Add(gap);
            // What was lost is sent again.
            if (gap.Reason == PartitionCursor.LogReplaced)
                part.Sequences.Clear();
        }
        if (step.Batch is { } fetched)
            Take(part, partition, fetched, step.Skip);
        part.Position = step.To;
        return true;
    }

    private static void Take(Part part, int partition, Fetched.Batch fetched, int skip)
    {
        var batch = SourceBatch.Read(fetched.Payload.Span);
        Assert.Equal((partition, batch.Records), (batch.Partition, fetched.RecordCount));
        var expected = part.Sequences.GetValueOrDefault(batch.Producer);
        if (part.Gaps.Count == 0)
            Assert.Equal(expected, batch.Sequence + skip);
        else
            Assert.True(batch.Sequence + skip >= expected, $"{batch.Producer}: record {batch.Sequence + skip} came after {expected - 1}");
        part.Sequences[batch.Producer] = batch.EndSequence;
    }

    private sealed class Part
    {
        public long OwnerEpoch { get; set; }

        public LogPosition? Position { get; set; }

        public Dictionary<string, long> Sequences { get; } = [];

        public List<LogGap> Gaps { get; } = [];
    }
}
