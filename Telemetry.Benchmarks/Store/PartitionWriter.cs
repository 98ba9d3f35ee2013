using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>Writes as a collector does: one partition, whose offset moves in the transaction of the rows.</summary>
internal sealed class PartitionWriter(TelemetryStore store)
{
    private readonly PartitionLease _lease = store.AcquirePartition("telemetry", 0, "benchmark");
    private readonly Guid _topicId = Guid.NewGuid();
    private LogPosition? _position;

    /// <summary>Writes rows in one transaction; they are synced when it returns.</summary>
    public void Write(RowBlock block)
    {
        var to = new LogPosition(_topicId, 1, (_position?.NextOffset ?? 0) + block.Count);
        var result = store.Write([new PartitionWrite
        {
            Topic = _lease.Topic,
            Partition = _lease.Partition,
            OwnerEpoch = _lease.OwnerEpoch,
            From = _position,
            To = to,
            Rows = [block],
        }]);
        if (result.Rows != block.Count)
            throw new InvalidOperationException($"{result.Rows} rows were written, not {block.Count}");
        _position = to;
    }
}
