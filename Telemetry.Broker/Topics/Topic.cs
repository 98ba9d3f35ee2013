using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Topics;

/// <summary>A topic: its partitions, and the opening of producers in all of them.</summary>
internal sealed class Topic(StoredTopic stored, PartitionLog[] partitions, ProducerEpochs epochs) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private volatile PartitionLog[] _partitions = partitions;

    /// <summary>How it was kept when it was opened; partitions may have been added since.</summary>
    public StoredTopic Stored { get; } = stored;

    public string Name => Stored.Name;

    /// <summary>New each time the topic is made.</summary>
    public Guid Id => Stored.Id;

    /// <summary>Wall time when it was made.</summary>
    public long CreatedUnixMs => Stored.CreatedUnixMs;

    public IReadOnlyList<PartitionLog> Partitions => _partitions;

    /// <summary>A partition by its number.</summary>
    /// <exception cref="BrokerException">There is none.</exception>
    public PartitionLog Partition(int partition)
    {
        var all = _partitions;
        return (uint)partition < (uint)all.Length
            ? all[partition]
            : throw new BrokerException(ErrorCode.UnknownPartition, $"topic '{Name}' has partitions 0 to {all.Length - 1}; {partition} is none of them");
    }

    /// <summary>Takes in more partitions. Producers that are open get to know them when they open again.</summary>
    public void Add(IEnumerable<PartitionLog> more) => _partitions = [.. _partitions, .. more];

    /// <summary>Fences older incarnations of a producer in every partition and returns what the log knows of it.</summary>
    /// <exception cref="BrokerException">The topic was deleted, remembers too many producers, or the storage failed.</exception>
    public async Task<(int Epoch, ProducerSnapshot[] Partitions)> OpenProducerAsync(string producerId, CancellationToken cancellationToken)
    {
        // One opening at a time: two at once must not end with an epoch each in different partitions.
        await _opening.WaitAsync(cancellationToken);
        try
        {
            var partitions = _partitions;
            if (!partitions.All(partition => partition.HasRoomForProducer(producerId)))
                throw new BrokerException(ErrorCode.PartitionFull, $"topic '{Name}' remembers as many producer ids as it can, and all were used within the time that messages are kept; retry later, or use fewer ids");
            var epoch = epochs.Next(partitions.Max(partition => partition.ProducerEpoch(producerId)));
            var snapshots = new ProducerSnapshot[partitions.Length];
            for (var i = 0; i < partitions.Length; i++)
                snapshots[i] = await partitions[i].OpenProducerAsync(producerId, epoch);
            return (epoch, snapshots);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Ends waits and fetches of all partitions with this reason.</summary>
    public void Close(ErrorCode code, string message)
    {
        foreach (var partition in _partitions)
            partition.Close(code, message);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var partition in _partitions)
            await partition.DisposeAsync();
    }
}
