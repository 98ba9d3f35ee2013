using System.Diagnostics.Metrics;
using Telemetry.Broker;
using Telemetry.Broker.Log;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>A broker's core on a simulated disk, that can die and come back. Each publish is its own round of the committer unless several are begun.</summary>
internal sealed class DurableBroker : IAsyncDisposable
{
    private const string Folder = "/data";

    private readonly BrokerMetrics _metrics = new(new Meter("DurableBroker"));
    private readonly int _records;
    private readonly TimeSpan _fsync;
    private readonly Func<Guid> _newId;
    private readonly int _partitions;
    private readonly TimeSpan _ttl;
    private bool _dead;

    public DurableBroker(SimulatedDisk? disk = null, int records = 100_000, TimeSpan fsync = default, JumpingTime? time = null, Func<Guid>? newId = null, int megabytes = 1024, int partitions = 1, TimeSpan? ttl = null, long underWayBytes = 1L << 30)
    {
        Disk = disk ?? new SimulatedDisk();
        Time = time ?? new JumpingTime();
        _records = records;
        _fsync = fsync;
        _newId = newId ?? Guid.NewGuid;
        _partitions = partitions;
        _ttl = ttl ?? TimeSpan.FromHours(24);
        Committer = new LogCommitter(fsync, Time);
        Core = new BrokerCore(
            new BrokerOptions { MaxMessagesPerPartition = records, MaxMegabytesPerPartition = megabytes, MaxPartitions = partitions, MessageTtl = _ttl, DataPath = Folder, Fsync = fsync },
            Time,
            _metrics,
            limits: new BrokerLimits { MemoryBytesMax = long.MaxValue, SegmentBytesMax = 64 << 10, UnderWayBytesMax = underWayBytes },
            newId: _newId,
            storageFailed: (_, error) => Failures.Add(error),
            committer: Committer,
            disk: Disk);
    }

    public SimulatedDisk Disk { get; }

    public JumpingTime Time { get; }

    public LogCommitter Committer { get; }

    public BrokerCore Core { get; }

    public List<Exception> Failures { get; } = [];

    public Telemetry.Broker.Topics.Topic Topic => Core.Topics.GetOrMake("telemetry");

    public PartitionLog Partition => Topic.Partitions[0];

    public RecoveryReport Report => Core.Data!.Reports[0].Report;

    /// <summary>The path of the last segment.</summary>
    public string LastSegment => Disk.Files.Last(path => path.EndsWith(LogFiles.SegmentSuffix, StringComparison.Ordinal));

    /// <summary>Begins a publish; it ends with a round of the committer.</summary>
    public Task<PublishOutcome> Begin(byte[] payload, int records = 1, string producer = "", int epoch = 0, long sequence = 0, byte[]? position = null) =>
        Partition.Publish(new PublishBatch(payload, records, producer, epoch, sequence, position ?? []), TimeSpan.Zero, TestContext.Current.CancellationToken).OutcomeAsync().AsTask();

    /// <summary>Publishes and waits.</summary>
    public Task<PublishOutcome> Publish(byte[] payload, int records = 1, string producer = "", int epoch = 0, long sequence = 0, byte[]? position = null) =>
        Finish(Begin(payload, records, producer, epoch, sequence, position));

    /// <summary>Lets the committer work until a task has ended.</summary>
    public async Task<T> Finish<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            Committer.RunOnce();
            await Task.Yield();
        }
        return await task;
    }

    public Task<int> Open(string producer) => Finish(OpenAsync(producer));

    /// <summary>Everything that can be read, from an offset on.</summary>
    public async Task<List<StoredBatch>> ReadAll(long offset = 0)
    {
        var all = new List<StoredBatch>();
        var cursor = PartitionCursor.Open(Partition, new ReadFrom.Offset(Math.Max(offset, Partition.StartOffset), null));
        while (cursor.Next < Partition.HighWatermark)
        {
            var some = new List<StoredBatch>();
            if (await cursor.ReadAsync(1 << 16, some, TestContext.Current.CancellationToken) is null && some.Count == 0)
                break;
            all.AddRange(some);
        }
        return all;
    }

    /// <summary>The process dies, or the machine with it; what comes up is another broker.</summary>
    public DurableBroker Restart(Random? powerCut = null)
    {
        _dead = true;
        Disk.EndOpenFiles();
        return new DurableBroker(Disk.After(powerCut), _records, _fsync, Time, _newId, partitions: _partitions, ttl: _ttl);
    }

    /// <summary>Stops in order, and starts again.</summary>
    public async Task<DurableBroker> RestartInOrder()
    {
        Core.Groups.Save();
        await DisposeAsync();
        _dead = true;
        return new DurableBroker(Disk.After(null), _records, _fsync, Time, _newId, partitions: _partitions, ttl: _ttl);
    }

    public async ValueTask DisposeAsync()
    {
        if (_dead)
            return;
        _dead = true;
        var closing = Core.DisposeAsync().AsTask();
        while (!closing.IsCompleted)
        {
            Committer.RunOnce();
            await Task.Yield();
        }
        await closing;
        _metrics.Dispose();
    }

    private async Task<int> OpenAsync(string producer) => (await Topic.OpenProducerAsync(producer, TestContext.Current.CancellationToken)).Epoch;
}
