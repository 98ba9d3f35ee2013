using System.Collections.Concurrent;
using Telemetry.Broker.Disk;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Topics;

/// <summary>Makes the storage of a partition of a new topic.</summary>
internal delegate IPartitionStorage PartitionStorageFactory(string topic, int partition, LogIdentity log);

/// <summary>The topics, by name.</summary>
internal sealed class TopicRegistry(
    int partitionsDefault, PartitionSettings settings, BrokerClock clock, BrokerMetrics metrics, PartitionStorageFactory storages, Func<Guid> newId, DataFolder? data = null)
{
    private readonly ConcurrentDictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly ProducerEpochs _epochs = new(clock);
    private readonly Lock _making = new();

    /// <summary>All topics by name.</summary>
    public IEnumerable<Topic> All => _topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal);

    /// <summary>All partitions of all topics, in no order.</summary>
    public IEnumerable<PartitionLog> Partitions => _topics.Select(topic => topic.Value).SelectMany(topic => topic.Partitions);

    /// <summary>A topic; null where there is none.</summary>
    public Topic? Find(string name) => _topics.GetValueOrDefault(name);

    /// <summary>A topic.</summary>
    /// <exception cref="BrokerException">There is none.</exception>
    public Topic Get(string name) => Find(name) ?? throw Unknown(name);

    /// <summary>A topic; makes it with the default number of partitions if it is new.</summary>
    /// <exception cref="BrokerException">The name is not accepted, or there are too many topics.</exception>
    public Topic GetOrMake(string name)
    {
        if (Find(name) is { } known)
            return known;
        Names.Topic(name);
        lock (_making)
            return Find(name) ?? Make(name, partitionsDefault);
    }

    /// <summary>Makes a topic.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partitions">Its partitions; 0: the default.</param>
    /// <exception cref="BrokerException">It is there already, the name or number is not accepted, or there are too many topics.</exception>
    public Topic Create(string name, int partitions)
    {
        Names.Topic(name);
        if (partitions is < 0 or > BrokerLimits.PartitionsMax)
            throw BrokerException.Invalid($"partitions: {partitions} is not accepted: expected 1 to {BrokerLimits.PartitionsMax}, or 0 for {partitionsDefault}");
        lock (_making)
        {
            return Find(name) is null
                ? Make(name, partitions == 0 ? partitionsDefault : partitions)
                : throw new BrokerException(ErrorCode.TopicExists, $"topic '{name}' is there already");
        }
    }

    /// <summary>Opens the topics that a data folder has.</summary>
    /// <exception cref="StorageException">One of them cannot be opened.</exception>
    public void Restore()
    {
        foreach (var stored in data?.Topics() ?? [])
            Add(stored);
    }

    /// <summary>Takes a topic away; its waits and fetches end.</summary>
    /// <exception cref="BrokerException">There is none.</exception>
    public Topic Remove(string name)
    {
        if (!_topics.TryRemove(name, out var topic))
            throw Unknown(name);
        topic.Close(ErrorCode.UnknownTopic, $"topic '{name}' was deleted");
        return topic;
    }

    private Topic Make(string name, int partitions)
    {
        var limits = settings.Limits;
        if (_topics.Count >= limits.TopicsMax)
            throw BrokerException.Invalid($"topic: there are {_topics.Count} topics, the most that this broker takes; delete some");
        var total = Partitions.Count();
        if (total + partitions > limits.PartitionsTotalMax)
            throw BrokerException.Invalid($"partitions: {partitions} more would make {total + partitions}; this broker takes {limits.PartitionsTotalMax} in all topics");
        var stored = new StoredTopic(newId(), name, partitions, clock.UnixMs);
        try
        {
            var topic = Add(stored);
            data?.Add(stored);
            return topic;
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            _topics.TryRemove(name, out _);
            settings.StorageFailed?.Invoke(null, error);
            throw error is DiskFullException || error.InnerException is DiskFullException
                ? new BrokerException(ErrorCode.DiskFull, $"topic '{name}' could not be stored: the broker's disk has no room")
                : new BrokerException(ErrorCode.StorageFailed, $"topic '{name}' could not be stored");
        }
    }

    private Topic Add(StoredTopic stored)
    {
        var logs = new PartitionLog[stored.Partitions];
        for (var i = 0; i < logs.Length; i++)
            logs[i] = new PartitionLog(stored.Name, i, storages(stored.Name, i, new LogIdentity(stored.Id, 1)), settings, clock, metrics);
        var topic = new Topic(stored.Name, stored.Id, stored.CreatedUnixMs, logs, _epochs);
        _topics[stored.Name] = topic;
        return topic;
    }

    private static BrokerException Unknown(string name) => new(ErrorCode.UnknownTopic, $"topic '{Printable(name)}' is not known");

    private static string Printable(string name) =>
        string.Concat((name.Length > Names.NameMax ? name[..Names.NameMax] + "…" : name).Select(c => char.IsControl(c) ? '?' : c));
}
