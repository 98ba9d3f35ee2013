using Telemetry.Broker.Disk;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

/// <summary>
/// Where a partition's log lives. <see cref="PartitionLog"/> decides what is appended, read and dropped; the storage keeps it.
/// One append, producer opening or drop happens at a time (under the partition's lock, so they must not block); reads and
/// properties run beside them at any time.
/// </summary>
internal interface IPartitionStorage : IAsyncDisposable
{
    /// <summary>Which incarnation of the log this is: a new epoch begins each time it is opened.</summary>
    LogIdentity Log { get; }

    /// <summary>The offset up to which this log is the same as in an epoch of before: who has read further there has read records that are gone.</summary>
    long EpochEnd(int epoch) => 0;

    /// <summary>The offset of the first record that can be read.</summary>
    long StartOffset { get; }

    /// <summary>The offset after the last record that is durable; readers see no further.</summary>
    long HighWatermark { get; }

    /// <summary>The offset after the last record.</summary>
    long EndOffset { get; }

    /// <summary>The offset after the first batch; <see cref="EndOffset"/> when there is none.</summary>
    long FirstBatchEnd { get; }

    /// <summary>What is stored, in bytes.</summary>
    long Bytes { get; }

    /// <summary>Wall time of the last append; 0 for none.</summary>
    long LastAppendUnixMs { get; }

    /// <summary>Log time of the last append; 0 for none.</summary>
    long LastLogMs => 0;

    /// <summary>Acknowledged records that cannot be read any more.</summary>
    long DamagedRecords => 0;

    /// <summary>What the log knew of its producers when it was opened.</summary>
    IReadOnlyList<ProducerSnapshot> Producers { get; }

    /// <summary>Whether there is room for so many more bytes.</summary>
    bool HasRoom(long bytes);

    /// <summary>
    /// Appends batches whose offsets go on at <see cref="EndOffset"/>; completes when all of them are durable and the high
    /// watermark has moved. The list is the storage's until then. The next append is begun after the last has completed.
    /// </summary>
    /// <exception cref="StorageException">Nothing of the group is in the log.</exception>
    ValueTask AppendAsync(IReadOnlyList<StoredBatch> group);

    /// <summary>Keeps the epoch of a producer; completes when it is durable.</summary>
    /// <exception cref="StorageException">It could not be kept.</exception>
    ValueTask OpenProducerAsync(string producerId, int epoch);

    /// <summary>
    /// Adds whole durable batches to a list, from the one that holds <paramref name="offset"/> (or the first after it) on,
    /// until they exceed <paramref name="bytesMax"/>; at least one if there is one.
    /// </summary>
    ValueTask ReadAsync(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken);

    /// <summary>The base offset of the first batch with a wall time at or after this; the high watermark for none.</summary>
    long OffsetForTime(long appendTimeUnixMs);

    /// <summary>The base offset of the first batch with a log time at or after this; the high watermark for none.</summary>
    long OffsetForLogTime(long appendLogMs);

    /// <summary>Log time of the append of the batch that holds this offset, or the first after it; null for none.</summary>
    long? AppendLogMs(long offset);

    /// <summary>Drops whole batches that end at or before this offset.</summary>
    void DropBefore(long offset);
}

/// <summary>The storage could not do something.</summary>
/// <param name="message">For the log; never shown to clients.</param>
/// <param name="fatal">Whether the partition must take no more writes (a failed sync), or may go on later (no room).</param>
/// <param name="inner">The cause.</param>
internal sealed class StorageException(string message, bool fatal, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the partition must take no more writes.</summary>
    public bool Fatal { get; } = fatal;

    /// <summary>What it is to a client.</summary>
    public BrokerException ToRefusal() => this switch
    {
        { Fatal: true } => new(ErrorCode.StorageFailed, "the partition's storage failed; nothing was appended, and it takes no more writes until the broker is restarted"),
        { InnerException: DiskFullException } => new(ErrorCode.DiskFull, "the broker's disk has no room; nothing was appended: retry later"),
        _ => new(ErrorCode.StorageFailed, "the partition's storage failed; nothing was appended: retry later"),
    };
}
