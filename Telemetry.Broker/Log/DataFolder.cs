using System.Text.Json;
using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

/// <summary>Everything below DATA_PATH: topics, their logs, and how far groups have read. Held by one broker at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _path;
    private readonly LogCommitter _committer;
    private readonly DurableSettings _settings;
    private readonly Func<int> _nextEpoch;
    private readonly IDisposable _lock;

    /// <summary>Takes the folder; makes it if it is not there.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="path">The folder.</param>
    /// <param name="committer">Who writes the logs.</param>
    /// <param name="settings">Sizes and bounds.</param>
    /// <param name="nextEpoch">A log epoch that was never given before.</param>
    /// <exception cref="StorageException">Another broker uses it, or it cannot be used.</exception>
    public DataFolder(IDisk disk, string path, LogCommitter committer, DurableSettings settings, Func<int> nextEpoch)
    {
        _disk = disk;
        _path = path;
        _committer = committer;
        _settings = settings;
        _nextEpoch = nextEpoch;
        try
        {
            disk.MakeDirectory(path);
            disk.MakeDirectory(Path.Combine(path, LogFiles.Topics));
            disk.MakeDirectory(Path.Combine(path, LogFiles.Groups));
            // Killed after it was made, before it was synced: what is built on from now on may not go with the power.
            disk.SyncDirectory(path);
            disk.SyncDirectory(Path.Combine(path, LogFiles.Topics));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"the folder '{path}' cannot be made or written: {error.Message}", fatal: true, error);
        }
        try
        {
            _lock = disk.Lock(Path.Combine(path, LogFiles.Lock));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"the folder '{path}' is used by another broker, or is not writable: {error.Message}", fatal: true, error);
        }
        try
        {
            Groups = new GroupLog(disk, Path.Combine(path, LogFiles.Groups, LogFiles.Offsets), settings.GroupLogBytesMax);
        }
        catch (IOException error)
        {
            _lock.Dispose();
            throw new StorageException($"how far groups have read cannot be read from '{path}': {error.Message}", fatal: true, error);
        }
    }

    /// <summary>What was found in the logs that were opened.</summary>
    public List<(string Topic, int Partition, RecoveryReport Report)> Reports { get; } = [];

    /// <summary>How far groups have read.</summary>
    public GroupLog Groups { get; }

    /// <summary>The topics that are there. What is left of deleted or half-made ones is removed.</summary>
    public IReadOnlyList<StoredTopic> Topics()
    {
        var topics = new List<StoredTopic>();
        foreach (var name in _disk.Names(Path.Combine(_path, LogFiles.Topics)))
        {
            if (!Guid.TryParseExact(name, "N", out var id))
                continue;
            var folder = TopicFolder(id);
            if (!_disk.Names(folder).Contains(LogFiles.Topic))
            {
                _disk.DeleteDirectory(folder);
                continue;
            }
            _disk.SyncDirectory(folder);
            topics.Add(SmallFile.Read(_disk, Path.Combine(folder, LogFiles.Topic)) is { } bytes
                && JsonSerializer.Deserialize(bytes.Span, StoredJson.Default.StoredTopic) is { } topic
                    ? topic
                    : throw new StorageException($"{Path.Combine(folder, LogFiles.Topic)} is damaged; its topic cannot be told. Restore the file, or remove the folder to delete the topic", fatal: true));
        }
        return topics;
    }

    /// <summary>Keeps a topic, after its partitions were made: from now on it is there after a restart.</summary>
    public void Add(StoredTopic topic) => SmallFile.Write(
        _disk,
        Path.Combine(TopicFolder(topic.Id), LogFiles.Topic),
        JsonSerializer.SerializeToUtf8Bytes(topic, StoredJson.Default.StoredTopic),
        LogFiles.TemporarySuffix);

    /// <summary>Deletes a topic, after its partitions were closed.</summary>
    public void Delete(Guid topicId)
    {
        var folder = TopicFolder(topicId);
        _disk.Delete(Path.Combine(folder, LogFiles.Topic));
        _disk.SyncDirectory(folder);
        _disk.DeleteDirectory(folder);
    }

    /// <summary>Opens the log of a partition, or makes it.</summary>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    public DurableStorage Open(StoredTopic topic, int partition)
    {
        var folder = Path.Combine(TopicFolder(topic.Id), LogFiles.Partition(partition));
        // The topic is kept after its partitions were made: before that they are new.
        var isNew = !_disk.Names(TopicFolder(topic.Id)).Contains(LogFiles.Topic);
        var storage = DurableStorage.Open(_disk, folder, topic, partition, isNew, _nextEpoch(), _settings, _committer, out var report);
        lock (Reports)
            Reports.Add((topic.Name, partition, report));
        return storage;
    }

    public void Dispose()
    {
        Groups.Dispose();
        _lock.Dispose();
    }

    private string TopicFolder(Guid id) => Path.Combine(_path, LogFiles.Topics, LogFiles.TopicFolder(id));
}

/// <summary>A topic as it is kept.</summary>
/// <param name="Id">New each time the topic is made.</param>
/// <param name="Name">Its name.</param>
/// <param name="Partitions">How many it has.</param>
/// <param name="CreatedUnixMs">Wall time when it was made.</param>
/// <param name="ChecksumSeed">What the checksums of its frames begin with; known to nobody outside of the broker.</param>
internal sealed record StoredTopic(Guid Id, string Name, int Partitions, long CreatedUnixMs, uint ChecksumSeed);
