using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;
using LogIdentity = Telemetry.Messaging.Client.LogIdentity;

namespace Telemetry.Broker.Log;

/// <summary>
/// A partition: decides what is appended, what is dropped and who waits, over a storage that keeps it. Appends, commits and
/// drops are serialised by one lock that is held for no I/O; reads take no lock. Nothing in here has a thread or a timer:
/// <see cref="Tick"/> makes time pass.
/// </summary>
internal sealed partial class PartitionLog : IAsyncDisposable
{
    private readonly Lock _sync = new();
    private readonly IPartitionStorage _storage;
    private readonly PartitionSettings _settings;
    private readonly BrokerClock _clock;
    private readonly BrokerMetrics _metrics;
    private readonly ProducerTable _producers;
    private readonly Signal _changed = new();
    private readonly RateMeter _rate = new();
    private readonly List<GroupProgress> _groups = [];
    private long _lastLogMs;
    private long _expiredUnread;
    private volatile BrokerException? _closed;
    private volatile BrokerException? _failed;

    public PartitionLog(string topic, int partition, IPartitionStorage storage, PartitionSettings settings, BrokerClock clock, BrokerMetrics metrics)
    {
        Topic = topic;
        Partition = partition;
        _storage = storage;
        _settings = settings;
        _clock = clock;
        _metrics = metrics;
        _producers = new ProducerTable(settings.Limits.ProducersMax, settings.MessageTtl);
        _nextOffset = storage.EndOffset;
        _lastLogMs = storage.LastLogMs;
        foreach (var snapshot in storage.Producers)
            _producers.Open(snapshot.ProducerId, clock.LogMs).Restore(snapshot);
    }

    /// <summary>The topic's name.</summary>
    public string Topic { get; }

    /// <summary>The partition's number in its topic.</summary>
    public int Partition { get; }

    /// <summary>Which incarnation of the log this is.</summary>
    public LogIdentity Log => _storage.Log;

    /// <summary>The offset of the first record that can be read.</summary>
    public long StartOffset => _storage.StartOffset;

    /// <summary>The offset after the last record that can be read.</summary>
    public long HighWatermark => _storage.HighWatermark;

    /// <summary>The offset after the last record.</summary>
    public long EndOffset => _storage.EndOffset;

    /// <summary>Records that are held.</summary>
    public long Records => EndOffset - StartOffset;

    /// <summary>Records that TTL took before every group had read them.</summary>
    public long ExpiredUnread => Volatile.Read(ref _expiredUnread);

    /// <summary>What is stored, in bytes.</summary>
    public long Bytes => _storage.Bytes;

    /// <summary>Acknowledged records that cannot be read any more.</summary>
    public long DamagedRecords => _storage.DamagedRecords;

    /// <summary>Wall time of the last append; 0: none.</summary>
    public long LastAppendUnixMs => _storage.LastAppendUnixMs;

    /// <summary>Whether the storage failed for good: the partition can be read but takes no writes.</summary>
    public bool Failed => _failed is not null;

    /// <summary>Ends with the next append, drop or close.</summary>
    public Task Changed => _changed.Next;

    /// <summary>Records appended a second, over the last minute.</summary>
    public double AppendedPerSecond()
    {
        lock (_sync)
            return _rate.PerSecond(_clock.LogMs);
    }

    /// <summary>Throws when the partition was closed: its topic was deleted, or the broker stops.</summary>
    /// <exception cref="BrokerException">It is closed.</exception>
    public void ThrowIfClosed()
    {
        if (_closed is { } reason)
            throw new BrokerException(reason.Code, reason.Message);
    }

    /// <summary>Reads whole batches; see <see cref="IPartitionStorage.ReadAsync"/>.</summary>
    public async ValueTask ReadAsync(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        // The storage may have more already; what is read can be committed, so it must not be ahead of the high watermark.
        var end = HighWatermark;
        await _storage.ReadAsync(offset, bytesMax, into, cancellationToken);
        while (into.Count > 0 && into[^1].EndOffset > end)
            into.RemoveAt(into.Count - 1);
    }

    /// <summary>See <see cref="IPartitionStorage.EpochEnd"/>.</summary>
    public long EpochEnd(int epoch) => _storage.EpochEnd(epoch);

    /// <summary>The base offset of the first batch appended at or after a wall time; the high watermark for none.</summary>
    public long OffsetForTime(long unixMs) => _storage.OffsetForTime(unixMs);

    /// <summary>Raises the epoch of a producer; older epochs are refused from now on. Complete when it is durable.</summary>
    /// <exception cref="BrokerException">The storage failed.</exception>
    public async ValueTask<ProducerSnapshot> OpenProducerAsync(string producerId, int epoch)
    {
        ProducerState state;
        ValueTask durable;
        lock (_sync)
        {
            ThrowIfClosed();
            state = _producers.Open(producerId, _clock.LogMs);
            state.Epoch = Math.Max(state.Epoch, epoch);
            durable = _storage.OpenProducerAsync(producerId, epoch);
        }
        try
        {
            await durable;
        }
        catch (StorageException error)
        {
            Fail(error);
            throw error.ToRefusal();
        }
        // What the older epoch has under way is in the log or taken back before the sequence is told.
        await AppendedSoFar();
        lock (_sync)
            return state.Snapshot();
    }

    /// <summary>The epoch of a producer; 0: it is not known.</summary>
    public int ProducerEpoch(string producerId)
    {
        lock (_sync)
            return _producers.Find(producerId)?.Epoch ?? 0;
    }

    /// <summary>Whether another producer id could be remembered.</summary>
    public bool HasRoomForProducer(string producerId)
    {
        lock (_sync)
            return _producers.Find(producerId) is not null || _producers.HasRoom(_clock.LogMs);
    }

    /// <summary>Ends waits and fetches with this reason and takes nothing more. What was appended stays.</summary>
    public void Close(ErrorCode code, string message)
    {
        lock (_sync)
        {
            _closed ??= new BrokerException(code, message);
            RefuseWaiting(_closed);
        }
        _changed.Pulse();
    }

    /// <summary>Closes the storage, after <see cref="Close"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        Task flush;
        lock (_sync)
        {
            _groups.Clear();
            flush = _flush;
        }
        await flush;
        await _storage.DisposeAsync();
    }
}

/// <summary>What a partition has to know of the broker's settings.</summary>
/// <param name="RecordsMax">Records that it holds before publishers have to wait.</param>
/// <param name="BytesMax">Bytes that it holds before publishers have to wait.</param>
/// <param name="MessageTtl">How long it keeps records that a group has not read.</param>
/// <param name="Limits">The bounds that are not settings.</param>
/// <param name="StorageFailed">Told when the storage of a partition, or of none that is there yet, fails, with the cause, for the log.</param>
internal sealed record PartitionSettings(
    int RecordsMax, long BytesMax, TimeSpan MessageTtl, BrokerLimits Limits, Action<PartitionLog?, Exception>? StorageFailed = null)
{
    /// <summary>What is on its way to the disk, in all partitions.</summary>
    public MemoryBudget UnderWay { get; } = new(Limits.UnderWayBytesMax);

    /// <summary>The most records of a batch: it has to fit into an empty partition.</summary>
    public int BatchRecordsMax => Math.Min(RecordsMax, Telemetry.Messaging.Records.RecordBatchLimits.RecordsMax);
}
