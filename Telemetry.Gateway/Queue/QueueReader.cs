using Grpc.Core;
using Telemetry.Gateway.Answers;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Queue;

/// <summary>What the queue knows at a moment.</summary>
/// <param name="Section">For the answer.</param>
/// <param name="HighWatermarks">By topic and partition, for the store's lag; empty where the queue did not answer.</param>
public sealed record QueueSnapshot(QueueSection Section, IReadOnlyDictionary<(string Topic, int Partition), LogEnd> HighWatermarks)
{
    /// <summary>How many records a store has not read of a partition; null where the queue does not have the topic that it has read from.</summary>
    /// <remarks>
    /// Offsets of different topics cannot be compared. Those of an older epoch are those of now, unless the log has lost
    /// records: then a gap is on its way into the store.
    /// </remarks>
    public long? Lag(CheckpointRow checkpoint) =>
        HighWatermarks.TryGetValue((checkpoint.Topic, checkpoint.Partition), out var log) && log.TopicId == checkpoint.TopicId
            ? Math.Max(0, log.HighWatermark - checkpoint.NextOffset)
            : null;
}

/// <summary>The end of a partition's log.</summary>
/// <param name="TopicId">The topic's incarnation.</param>
/// <param name="LogEpoch">The log's incarnation.</param>
/// <param name="HighWatermark">The offset after the newest acknowledged record.</param>
public readonly record struct LogEnd(Guid TopicId, int LogEpoch, long HighWatermark);

/// <summary>Asks the queue for its topics and groups, and takes no for an answer.</summary>
public sealed class QueueReader(QueueConnection connection, TimeSpan timeout, ILogger<QueueReader> logger) : IAsyncDisposable
{
    /// <summary>Topics and groups, or why they cannot be had. Waits for the queue no longer than the time-out.</summary>
    public async Task<QueueSnapshot> ReadAsync(CancellationToken cancellationToken)
    {
        var (answer, reason) = await AskAsync(async call =>
        {
            var topics = connection.Admin.ListTopicsAsync(new ListTopicsRequest(), call);
            var groups = connection.Admin.ListGroupsAsync(new ListGroupsRequest(), call);
            return Snapshot((await topics).Topics, (await groups).Groups);
        }, cancellationToken);
        return answer ?? new QueueSnapshot(
            new QueueSection { Reachable = false, Reason = reason, Topics = [], Groups = [] }, new Dictionary<(string, int), LogEnd>());
    }

    /// <summary>How far behind consumer groups were, or why that cannot be had. Waits no longer either.</summary>
    /// <param name="group">Only this one; null: all.</param>
    /// <param name="last">How far back.</param>
    /// <param name="step">At most one moment for each step.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task<(IReadOnlyList<GroupLagHistory>? Groups, string? Reason)> LagHistoryAsync(string? group, TimeSpan last, TimeSpan step, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<GroupLagHistory>>(async call =>
        {
            var groups = (await connection.Admin.ListGroupsAsync(new ListGroupsRequest(), call)).Groups.Where(g => !g.DividesInput && (group is null || g.Group == group));
            var asking = groups.OrderBy(g => g.Group, StringComparer.Ordinal).Select(g => connection.Admin.DescribeGroupAsync(
                new DescribeGroupRequest { Group = g.Group, LagHistoryMs = (long)last.TotalMilliseconds, LagStepMs = (long)step.TotalMilliseconds }, call).ResponseAsync);
            return [.. (await Task.WhenAll(asking)).Select(LagHistory.Of)];
        }, cancellationToken);

    private async Task<(T? Answer, string? Reason)> AskAsync<T>(Func<CallOptions, Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return (await ask(new CallOptions(deadline: DateTime.UtcNow + timeout, cancellationToken: cancellationToken)), null);
        }
        catch (RpcException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reason = Reason(error.StatusCode);
            GatewayLog.QueueUnreachable(logger, reason, error);
            return (null, reason);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private string Reason(StatusCode status) => status switch
    {
        StatusCode.Unavailable => "nothing answers at the queue's address",
        StatusCode.DeadlineExceeded => $"the queue did not answer within {timeout.TotalSeconds:0.###} s",
        StatusCode.Unauthenticated or StatusCode.PermissionDenied => "the queue does not let the gateway in",
        StatusCode.Unimplemented => "what answers at the queue's address is no queue",
        _ => $"the queue answered with {status}",
    };

    private static QueueSnapshot Snapshot(IEnumerable<TopicDescription> topics, IEnumerable<GroupDescription> groups)
    {
        var positions = new Dictionary<(string, int), LogEnd>();
        var states = new List<TopicState>();
        foreach (var topic in topics.OrderBy(t => t.Topic, StringComparer.Ordinal))
        {
            states.Add(Topic(topic));
            var id = topic.TopicId.Length == 16 ? new Guid(topic.TopicId.Span, bigEndian: true) : Guid.Empty;
            foreach (var partition in topic.Partitions)
                positions[(topic.Topic, partition.Partition)] = new LogEnd(id, partition.LogEpoch, partition.HighWatermark);
        }
        var section = new QueueSection
        {
            Reachable = true,
            Reason = null,
            Topics = states,
            Groups = [.. groups.OrderBy(g => g.Group, StringComparer.Ordinal).Select(Group)],
        };
        return new QueueSnapshot(section, positions);
    }

    private static TopicState Topic(TopicDescription topic) => new()
    {
        Topic = topic.Topic,
        CreatedAt = Time(topic.CreatedUnixMs),
        Records = topic.Partitions.Sum(p => p.HighWatermark - p.LogStartOffset),
        Bytes = topic.Partitions.Sum(p => p.Bytes),
        AppendedPerSecond = Rate(topic.Partitions.Sum(p => p.AppendedPerSecond)),
        Partitions = [.. topic.Partitions.OrderBy(p => p.Partition).Select(p => new PartitionState
        {
            Partition = p.Partition,
            LogEpoch = p.LogEpoch,
            LogStartOffset = p.LogStartOffset,
            HighWatermark = p.HighWatermark,
            LogEndOffset = p.LogEndOffset,
            Bytes = p.Bytes,
            AppendedPerSecond = Rate(p.AppendedPerSecond),
            LastAppendAt = Time(p.LastAppendUnixMs),
            ExpiredUnread = p.ExpiredUnread,
        })],
    };

    private static GroupState Group(GroupDescription group) => new()
    {
        Group = group.Group,
        Topic = group.Topic,
        DividesInput = group.DividesInput,
        Paused = group.Paused,
        Generation = group.Generation,
        LagRecords = group.Shards.Sum(s => s.LagRecords),
        LagSeconds = Rate(group.Shards.Select(s => s.LagSeconds).DefaultIfEmpty(0).Max()),
        Members = [.. group.Members.OrderBy(m => m.MemberId, StringComparer.Ordinal).Select(m => new MemberState
        {
            MemberId = m.MemberId,
            Client = m.Client,
            JoinedAt = Time(m.JoinedUnixMs),
        })],
        Shards = [.. group.Shards.OrderBy(s => s.Shard).Select(s => new ShardState
        {
            Shard = s.Shard,
            MemberId = s.MemberId.Length == 0 ? null : s.MemberId,
            CommittedOffset = s.CommittedOffset < 0 ? null : s.CommittedOffset,
            CommittedAt = Time(s.CommittedUnixMs),
            LagRecords = s.LagRecords,
            LagSeconds = Rate(s.LagSeconds),
            GapRecords = s.GapRecords,
        })],
    };

    // 0 is "never" in the queue's contract.
    private static DateTimeOffset? Time(long unixMs) => unixMs <= 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(unixMs);

    private static double Rate(double value) => double.IsFinite(value) ? Math.Round(value, 3) : 0;
}
