using System.Collections.Concurrent;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Groups;

/// <summary>The groups, by name.</summary>
/// <param name="topics">What they read.</param>
/// <param name="clock">The clock.</param>
/// <param name="metrics">Where events are counted.</param>
/// <param name="limits">The bounds that are not settings.</param>
/// <param name="newId">Makes ids of members.</param>
/// <param name="log">Where they are kept; null: nowhere.</param>
/// <param name="storageFailed">Told when they cannot be.</param>
internal sealed partial class GroupCoordinator(
    TopicRegistry topics, BrokerClock clock, BrokerMetrics metrics, BrokerLimits limits, Func<Guid> newId, GroupLog? log, Action<PartitionLog?, Exception>? storageFailed)
{
    private readonly ConcurrentDictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private readonly Lock _making = new();
    private long _nextLagLogMs;

    /// <summary>All groups by name.</summary>
    public IEnumerable<Group> All => _groups.Values.OrderBy(group => group.Name, StringComparer.Ordinal);

    /// <summary>A group; null where there is none.</summary>
    public Group? Find(string name) => _groups.GetValueOrDefault(name);

    /// <summary>A group.</summary>
    /// <exception cref="BrokerException">There is none.</exception>
    public Group Get(string name) => Find(Names.Group(name)) ?? throw new BrokerException(ErrorCode.UnknownGroup, $"group '{name}' is not known");

    /// <summary>Takes a member into a group; makes group and topic if they are new.</summary>
    /// <exception cref="BrokerException">The request is not accepted, or the group divides something else.</exception>
    public MemberSession Join(string groupName, string topicName, int inputShards, MemberOptions options)
    {
        Names.Group(groupName);
        if (inputShards is < 0 or > BrokerLimits.ShardsMax)
            throw BrokerException.Invalid($"shards: {inputShards} is not accepted: expected 0 for the topic's partitions, or 1 to {BrokerLimits.ShardsMax}");
        var topic = topics.GetOrMake(topicName);
        Group group;
        lock (_making)
        {
            if (Find(groupName) is { } known)
            {
                group = known;
            }
            else
            {
                if (_groups.Count >= limits.GroupsMax && !TryDropIdleInput())
                    throw BrokerException.Invalid($"group: there are {_groups.Count} groups, the most that this broker takes; delete some");
                // A topic that was deleted meanwhile would leave a group that nobody can join.
                if (topics.Find(topicName) != topic)
                    throw new BrokerException(ErrorCode.UnknownTopic, $"topic '{topicName}' was deleted");
                group = _groups[groupName] = new Group(groupName, topic, inputShards, clock, metrics, limits);
            }
        }
        if (group.Topic.Name != topicName)
            throw BrokerException.Invalid($"topic: group '{groupName}' reads topic '{group.Topic.Name}', not '{topicName}': use another group, or delete this one");
        if (group.InputShards != inputShards)
            throw BrokerException.Invalid($"shards: group '{groupName}' divides {Divided(group.InputShards)}, not {Divided(inputShards)}: use another group, or delete this one");
        return group.Join(options, newId);
    }

    /// <summary>
    /// Drops a group that divides an input, has no members and is not paused: each replaced input leaves one behind, and the
    /// places of an input are the producers', not the group's.
    /// </summary>
    private bool TryDropIdleInput()
    {
        foreach (var (name, group) in _groups)
        {
            if (group.InputShards == 0 || group.IsPaused)
                continue;
            try
            {
                group.Close(ErrorCode.UnknownGroup, $"group '{name}' had no members", onlyIfIdle: true);
            }
            catch (BrokerException busy) when (busy.Code == ErrorCode.GroupActive)
            {
                continue;
            }
            return _groups.TryRemove(KeyValuePair.Create(name, group));
        }
        return false;
    }

    /// <summary>Gives the groups of a topic the partitions that it has more.</summary>
    public void AddPartitionsOf(Topic topic)
    {
        lock (_making)
        {
            foreach (var group in _groups.Values.Where(group => group.Topic == topic))
                group.AddPartitions();
        }
    }

    /// <summary>Deletes the groups of a topic that is deleted; their members are fenced.</summary>
    public void DeleteGroupsOf(Topic topic)
    {
        lock (_making)
        {
            foreach (var group in _groups.Values.Where(group => group.Topic == topic))
            {
                group.Close(ErrorCode.UnknownTopic, $"topic '{topic.Name}' was deleted", onlyIfIdle: false);
                _groups.TryRemove(KeyValuePair.Create(group.Name, group));
            }
        }
    }

    /// <summary>Lets time pass in all groups.</summary>
    public void Tick()
    {
        foreach (var (_, group) in _groups)
            group.Tick();
        if (clock.LogMs >= _nextLagLogMs)
        {
            // At whole steps, so that a chart's steps have one moment each.
            var step = (long)LagHistory.Step.TotalMilliseconds;
            _nextLagLogMs = (clock.LogMs / step * step) + step;
            NoteLags();
        }
    }

    // Of so many partitions, in all groups together.
    private void NoteLags()
    {
        var left = limits.LagPartitionsMax;
        foreach (var group in All.Where(group => !group.DividesInput))
        {
            if (group.Topic.Partitions.Count > left)
                continue;
            left -= group.Topic.Partitions.Count;
            group.NoteLag();
        }
    }

    /// <summary>Ends all streams because the broker stops.</summary>
    public void Stop(BrokerException reason)
    {
        foreach (var (_, group) in _groups)
            group.Stop(reason);
    }

    private static string Divided(int inputShards) => inputShards == 0 ? "the topic's partitions" : $"{inputShards} shards of an input";
}
