using Telemetry.Broker.Disk;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker;

/// <summary>
/// The queue without its network: topics, partitions, producers and groups. It takes clock, storage and ids from outside and
/// has no threads and no timers: whoever owns it calls <see cref="Tick"/> several times a second, so that a simulation can
/// drive it step by step.
/// </summary>
internal sealed class BrokerCore : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private volatile BrokerException? _stopping;

    /// <param name="options">The settings.</param>
    /// <param name="time">Wall clock and monotonic clock.</param>
    /// <param name="metrics">Where events are counted.</param>
    /// <param name="storages">Makes the storage of new partitions; null: memory.</param>
    /// <param name="limits">The bounds that are not settings.</param>
    /// <param name="newId">Makes ids of topics and members.</param>
    /// <param name="storageFailed">Told when a storage fails.</param>
    /// <param name="committer">Who writes the logs in DATA_PATH; null only without that.</param>
    /// <param name="disk">Where DATA_PATH is; null: the file system.</param>
    /// <exception cref="StorageException">DATA_PATH cannot be used.</exception>
    public BrokerCore(
        BrokerOptions options,
        TimeProvider time,
        BrokerMetrics metrics,
        PartitionStorageFactory? storages = null,
        BrokerLimits? limits = null,
        Func<Guid>? newId = null,
        Action<PartitionLog?, Exception>? storageFailed = null,
        LogCommitter? committer = null,
        IDisk? disk = null)
    {
        Clock = new BrokerClock(time);
        Limits = limits ?? new BrokerLimits();
        Settings = new PartitionSettings(options.MaxMessagesPerPartition, (long)options.MaxMegabytesPerPartition << 20, options.MessageTtl, Limits, storageFailed);
        Memory = new MemoryBudget(Limits.MemoryBytesMax);
        if (options.DataPath.Length > 0)
        {
            var epochs = new ProducerEpochs(Clock);
            var settings = new DurableSettings(Memory, Limits.ProducersMax, Math.Max(1, options.MaxMessagesPerPartition / 64), Limits.SegmentBytesMax);
            Data = new DataFolder(disk ?? new RealDisk(), Path.GetFullPath(options.DataPath), committer!, settings, () => epochs.Next(0));
            storages ??= (topic, partition, _) => Data.Open(topic, partition);
        }
        storages ??= (_, _, log) => new MemoryStorage(log, Memory);
        Topics = new TopicRegistry(options.MaxPartitions, Settings, Clock, metrics, storages, newId ?? Guid.NewGuid, Data);
        Groups = new GroupCoordinator(Topics, Clock, metrics, Limits, newId ?? Guid.NewGuid, Data?.Groups, storageFailed);
        Topics.Restore();
        Groups.Restore();
        metrics.Observe(this);
    }

    public BrokerClock Clock { get; }

    /// <summary>DATA_PATH; null: everything is in memory.</summary>
    public DataFolder? Data { get; }

    public BrokerLimits Limits { get; }

    public PartitionSettings Settings { get; }

    /// <summary>What all partitions in memory hold.</summary>
    public MemoryBudget Memory { get; }

    public TopicRegistry Topics { get; }

    public GroupCoordinator Groups { get; }

    /// <summary>Cancelled by <see cref="Stop"/>.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Lets time pass: expiry, waits, sessions.</summary>
    public void Tick()
    {
        foreach (var partition in Topics.Partitions)
            partition.Tick();
        Groups.Tick();
    }

    /// <summary>Gives a topic more partitions; its groups divide them too.</summary>
    /// <exception cref="BrokerException">There is no such topic, or the number is not accepted.</exception>
    public Topic AddPartitions(string name, int partitions)
    {
        var topic = Topics.AddPartitions(name, partitions);
        Groups.AddPartitionsOf(topic);
        return topic;
    }

    /// <summary>Deletes a topic with its groups; fetches, waits and members end.</summary>
    /// <exception cref="BrokerException">There is none.</exception>
    public async ValueTask DeleteTopicAsync(string name)
    {
        var topic = Topics.Remove(name);
        Groups.DeleteGroupsOf(topic);
        await topic.DisposeAsync();
        Data?.Delete(topic.Id);
    }

    /// <summary>Takes nothing more and ends everything that waits; what is appended is kept and acknowledged.</summary>
    public void Stop()
    {
        var reason = new BrokerException(ErrorCode.ShuttingDown, "the broker is stopping; reconnect and retry");
        _stopping = reason;
        foreach (var topic in Topics.All)
            topic.Close(reason.Code, reason.Message);
        Groups.Stop(reason);
        _stop.Cancel();
    }

    /// <summary>Throws once <see cref="Stop"/> was called.</summary>
    /// <exception cref="BrokerException">The broker is stopping.</exception>
    public void ThrowIfStopping()
    {
        if (_stopping is { } reason)
            throw new BrokerException(reason.Code, reason.Message);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var topic in Topics.All)
            await topic.DisposeAsync();
        Data?.Dispose();
        _stop.Dispose();
    }
}
