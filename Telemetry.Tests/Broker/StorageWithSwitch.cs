using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;

namespace Telemetry.Tests.Broker;

/// <summary>A storage whose appends become durable when the test says so, as a disk's do.</summary>
internal sealed class StorageWithSwitch(LogIdentity log) : IPartitionStorage
{
    private readonly MemoryStorage _kept = new(log, new MemoryBudget(long.MaxValue));
    private TaskCompletionSource? _durable;

    /// <summary>The records of each group that was appended.</summary>
    public List<int> Groups { get; } = [];

    public LogIdentity Log => _kept.Log;

    public long StartOffset => _kept.StartOffset;

    public long HighWatermark => _kept.HighWatermark;

    public long EndOffset => _kept.EndOffset;

    public long FirstBatchEnd => _kept.FirstBatchEnd;

    public long Bytes => _kept.Bytes;

    public long LastAppendUnixMs => _kept.LastAppendUnixMs;

    public IReadOnlyList<ProducerSnapshot> Producers { get; init; } = [];

    public bool HasRoom(long bytes) => true;

    public async ValueTask AppendAsync(IReadOnlyList<StoredBatch> group)
    {
        Assert.Null(_durable);
        Groups.Add(group.Sum(batch => batch.RecordCount));
        var durable = _durable = new TaskCompletionSource();
        await durable.Task;
        await _kept.AppendAsync(group);
    }

    /// <summary>The group under way becomes durable.</summary>
    public void Sync() => Take().SetResult();

    /// <summary>The group under way cannot be stored.</summary>
    public void Fail(bool fatal) => Take().SetException(new StorageException("no room", fatal));

    public ValueTask OpenProducerAsync(string producerId, int epoch) => ValueTask.CompletedTask;

    public ValueTask ReadAsync(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken) =>
        _kept.ReadAsync(offset, bytesMax, into, cancellationToken);

    public long OffsetForTime(long appendTimeUnixMs) => _kept.OffsetForTime(appendTimeUnixMs);

    public long OffsetForLogTime(long appendLogMs) => _kept.OffsetForLogTime(appendLogMs);

    public long? AppendLogMs(long offset) => _kept.AppendLogMs(offset);

    public void DropBefore(long offset) => _kept.DropBefore(offset);

    public ValueTask DisposeAsync() => _kept.DisposeAsync();

    private TaskCompletionSource Take()
    {
        var durable = _durable!;
        _durable = null;
        return durable;
    }
}
