using System.Collections.Concurrent;
using Telemetry.Broker.Disk;
using Telemetry.Broker.Log;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Topics;

/// <summary>Makes the storage of a partition of a new topic.</summary>
internal delegate IPartitionStorage PartitionStorageFactory(StoredTopic topic, int partition, LogIdentity log);

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
            Add(stored, Open(stored, 0));
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

    /// <summary>Gives a topic more partitions.</summary>
    /// <param name="name">The topic.</param>
    /// <param name="partitions">How many it has then.</param>
    /// <exception cref="BrokerException">There is no such topic, it has as many already, or they are too many.</exception>
    public Topic AddPartitions(string name, int partitions)
    {
        lock (_making)
        {
            var topic = Get(name);
            var now = topic.Partitions.Count;
            if (partitions <= now || partitions > BrokerLimits.PartitionsMax)
                throw BrokerException.Invalid($"partitions: {partitions} is not accepted: topic '{name}' has {now}; expected {now + 1} to {BrokerLimits.PartitionsMax}");
            CheckTotal(partitions - now);
            var stored = topic.Stored with { Partitions = partitions };
            Store(name, () =>
            {
                var more = Open(stored, now);
                data?.Add(stored);
                topic.Add(more);
            });
            return topic;
        }
    }

    private Topic Make(string name, int partitions)
    {
        if (_topics.Count >= settings.Limits.TopicsMax)
            throw BrokerException.Invalid($"topic: there are {_topics.Count} topics, the most that this broker takes; delete some");
        CheckTotal(partitions);
        var stored = new StoredTopic(newId(), name, partitions, clock.UnixMs, BitConverter.ToUInt32(newId().ToByteArray()));
        Store(name, () =>
        {
            var logs = Open(stored, 0);
            data?.Add(stored);
            Add(stored, logs);
        });
        return _topics[name];
    }

    private void CheckTotal(int more)
    {
        var total = Partitions.Count() + more;
        if (total > settings.Limits.PartitionsTotalMax)
            throw BrokerException.Invalid($"partitions: {more} more would make {total}; this broker takes {settings.Limits.PartitionsTotalMax} in all topics");
    }

    private void Store(string name, Action store)
    {
        try
        {
            store();
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            settings.StorageFailed?.Invoke(null, error);
            throw error is DiskFullException || error.InnerException is DiskFullException
                ? new BrokerException(ErrorCode.DiskFull, $"topic '{name}' could not be stored: the broker's disk has no room")
                : new BrokerException(ErrorCode.StorageFailed, $"topic '{name}' could not be stored");
        }
    }

    private PartitionLog[] Open(StoredTopic stored, int from) =>
    [
        .. Enumerable.Range(from, stored.Partitions - from)
            .Select(i => new PartitionLog(stored.Name, i, storages(stored, i, new LogIdentity(stored.Id, 1)), settings, clock, metrics)),
    ];

    private void Add(StoredTopic stored, PartitionLog[] logs) => _topics[stored.Name] = new Topic(stored, logs, _epochs);

    private static BrokerException Unknown(string name) => new(ErrorCode.UnknownTopic, $"topic '{Printable(name)}' is not known");

    private static string Printable(string name) =>
        string.Concat((name.Length > Names.NameMax ? name[..Names.NameMax] + "…" : name).Select(c => char.IsControl(c) ? '?' : c));
}
