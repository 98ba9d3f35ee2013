using System.Globalization;
using System.Runtime.CompilerServices;
using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Queue;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>The store against the queue: whether collectors of this queue write this store.</summary>
internal static class LagCheck
{
    private const string Name = "lag";
    private const string Reason = "collectors write another DATABASE_PATH, or this is another broker";
    private const string Advice = "compare DATABASE_PATH and MESSAGEQUEUE_ADDR of collectors and gateways; a store or a broker that was begun anew catches up by itself";

    /// <param name="reader">The store. It is read after the queue: what collectors had committed then, they had written.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreException">The store cannot be read any more.</exception>
    public static async IAsyncEnumerable<Diagnosis> RunAsync(TelemetryReader reader, QueueSnapshot queue, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var topics = (await reader.StateAsync(cancellationToken)).Checkpoints.Where(c => c.TopicId != Guid.Empty).ToLookup(c => c.Topic);
        var isQueueOfStore = topics.Any(topic => topic.Any(c => queue.Lag(c) is not null));
        var groups = queue.Section.Groups.Where(g => !g.DividesInput && g.Members.Count > 0 && g.Shards.Any(s => s.CommittedOffset > 0)).ToLookup(g => g.Topic);
        if (topics.Count == 0 && groups.Count > 0)
            yield return Diagnosis.Warn(Name, $"the store has read nothing, and {string.Join(", ", groups.SelectMany(g => g).Select(g => g.Group))} has committed: {Reason}", Advice);
        foreach (var topic in topics)
        {
            if (topic.All(c => queue.Lag(c) is null))
            {
                // A topic that is gone from the store's own queue is no wonder.
                if (!isQueueOfStore || queue.Section.Topics.Any(t => t.Topic == topic.Key))
                    yield return Diagnosis.Warn(Name, $"{topic.Key}: what the store has read is of a topic that the queue does not have: {Reason}", Advice);
            }
            else
            {
                yield return Of(topic.Key, [.. topic], [.. groups[topic.Key]], queue);
            }
        }
    }

    private static Diagnosis Of(string topic, IReadOnlyList<CheckpointRow> checkpoints, IReadOnlyList<GroupState> groups, QueueSnapshot queue)
    {
        var next = checkpoints.Where(c => queue.Lag(c) is not null).ToDictionary(c => c.Partition, c => c.NextOffset);
        long Missing(GroupState group) => group.Shards.Sum(s => Math.Max(0, (s.CommittedOffset ?? 0) - next.GetValueOrDefault(s.Shard)));
        var text = $"{topic}: the store is {Records(checkpoints.Sum(c => queue.Lag(c) ?? 0))} behind";
        // Others may read the topic too; a group that this store is of does not have more than it.
        return groups.MinBy(Missing) is { } group && Missing(group) is > 0 and var missing
            ? Diagnosis.Warn(Name, $"{text} and {group.Group} {Records(group.LagRecords)}: it has committed {Records(missing)} that the store does not have: {Reason}", Advice)
            : Diagnosis.Ok(Name, text);
    }

    private static string Records(long count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} record{(count == 1 ? "" : "s")}");
}
