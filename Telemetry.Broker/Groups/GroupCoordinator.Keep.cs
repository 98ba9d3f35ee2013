using System.Globalization;
using Telemetry.Broker.Disk;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;
using OffsetPoint = Telemetry.Broker.Log.OffsetPoint;

namespace Telemetry.Broker.Groups;

// What is kept of groups. What people change is kept before it is done: what was answered outlives a crash, and what could
// not be kept has changed nothing.
internal sealed partial class GroupCoordinator
{
    private readonly Lock _keeping = new(); // the log; taken before all other locks, and who has it may take several groups'

    /// <summary>Takes in the groups that were kept; those of topics that are gone are forgotten.</summary>
    public void Restore()
    {
        foreach (var stored in log?.Groups ?? [])
        {
            if (topics.All.FirstOrDefault(topic => topic.Id == stored.TopicId) is { } topic)
                _groups[stored.Name] = new Group(stored.Name, topic, stored.InputShards, clock, metrics, limits, stored);
        }
    }

    /// <summary>Keeps how far groups have read, where that has changed.</summary>
    /// <exception cref="IOException">The disk refuses; the next call tries again.</exception>
    public void Save()
    {
        lock (_keeping)
            log?.Save([.. All.Select(group => group.ToStored())], clock.UnixMs);
    }

    /// <summary>Takes all shards from a group's members, who stay, or gives them out again.</summary>
    /// <exception cref="BrokerException">There is no such group, or it could not be kept.</exception>
    public Group Pause(string name, bool paused)
    {
        lock (_keeping)
        {
            var group = Get(name);
            Keep(group, group.ToStored() with { Paused = paused });
            group.Pause(paused);
            return group;
        }
    }

    /// <summary>Moves a group's committed offsets: all of them, or none when one is refused.</summary>
    /// <param name="name">The group.</param>
    /// <param name="partitions">Which; none: all.</param>
    /// <param name="to">Where to.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    /// <exception cref="BrokerException">There is no such group, it has members or divides an input, a partition is unknown, an offset is not in its log, or the group could not be kept.</exception>
    public IReadOnlyList<OffsetMove> ResetOffsets(string name, IReadOnlyCollection<int> partitions, ReadFrom to, bool dryRun)
    {
        lock (_keeping)
            return Reset(Get(name), partitions, _ => to, dryRun);
    }

    /// <summary>The same to what the group had committed at a wall time, as far as its history knows: that, or somewhat less.</summary>
    /// <exception cref="BrokerException">As above, or the history does not reach back to that time.</exception>
    public IReadOnlyList<OffsetMove> ResetToCommittedAt(string name, IReadOnlyCollection<int> partitions, long unixMs, bool dryRun)
    {
        lock (_keeping)
        {
            var group = Get(name);
            var history = History(group, 0);
            var then = history.Where(point => point.UnixMs <= unixMs).GroupBy(point => point.Shard).ToDictionary(points => points.Key, points => points.Last().Offset);
            if (then.Count == 0)
            {
                throw BrokerException.Invalid(history.Count == 0
                    ? $"committed_at_unix_ms: nothing is known yet of what group '{name}' has committed"
                    : $"committed_at_unix_ms: what group '{name}' had committed at {Rfc3339(unixMs)} is not known; its history begins at {Rfc3339(history[0].UnixMs)}");
            }
            // Records that were lost with an unsynced tail will come again under the same numbers.
            return Reset(group, partitions, partition => then.GetValueOrDefault(partition.Partition, -1) is >= 0 and var offset
                ? new ReadFrom.Offset(Math.Min(offset, partition.HighWatermark), null)
                : null, dryRun);
        }
    }

    /// <summary>How far a group had read, for as long as that is kept.</summary>
    /// <param name="name">The group.</param>
    /// <param name="lastMs">How far back.</param>
    /// <exception cref="BrokerException">There is no such group, or no history.</exception>
    public IReadOnlyList<OffsetPoint> History(string name, long lastMs)
    {
        lock (_keeping)
            return History(Get(name), clock.UnixMs - lastMs);
    }

    /// <summary>Deletes a group and its offsets.</summary>
    /// <exception cref="BrokerException">There is none, it has members, or this could not be kept.</exception>
    public void Delete(string name)
    {
        lock (_keeping)
        {
            var group = Get(name);
            lock (_making)
            {
                group.Close(ErrorCode.UnknownGroup, $"group '{name}' was deleted", onlyIfIdle: true, () => Keep(group, null));
                _groups.TryRemove(KeyValuePair.Create(name, group));
            }
        }
    }

    private IReadOnlyList<OffsetMove> Reset(Group group, IReadOnlyCollection<int> partitions, Func<PartitionLog, ReadFrom?> to, bool dryRun) =>
        group.ResetOffsets(partitions, to, dryRun ? null : moved => Keep(group, moved));

    private IReadOnlyList<OffsetPoint> History(Group group, long sinceUnixMs) => log is not null
        ? log.History(group.Name, group.Topic.Id, sinceUnixMs)
        : throw BrokerException.Invalid($"group '{group.Name}' has no history: only a broker with DATA_PATH keeps it");

    /// <summary>Keeps a group as it is about to be; null: not any more.</summary>
    private void Keep(Group group, StoredGroup? next)
    {
        try
        {
            log?.Save([.. All.Where(other => other != group).Select(other => other.ToStored()), .. next is null ? [] : new[] { next }], clock.UnixMs);
        }
        catch (IOException error)
        {
            storageFailed?.Invoke(null, error);
            throw error is DiskFullException
                ? new BrokerException(ErrorCode.DiskFull, $"group '{group.Name}' was not changed: the broker's disk has no room to keep that")
                : new BrokerException(ErrorCode.StorageFailed, $"group '{group.Name}' was not changed: the broker could not keep that");
        }
    }

    private static string Rfc3339(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
