using System.Globalization;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Telemetry.Gateway.Answers;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>The queue: whether it answers, and whether its groups keep up.</summary>
internal static class QueueCheck
{
    private static readonly TimeSpan LagMax = TimeSpan.FromSeconds(30);

    /// <param name="address">Its address.</param>
    /// <param name="queue">What it has said of itself.</param>
    /// <param name="timeout">How long it may take to say more.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async IAsyncEnumerable<Diagnosis> RunAsync(string address, QueueSection queue, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!queue.Reachable)
        {
            yield return Diagnosis.Fail("queue", $"{address}: {queue.Reason}", "start the broker, or correct MESSAGEQUEUE_ADDR");
            yield break;
        }
        var partitions = queue.Topics.Sum(t => t.Partitions.Count);
        yield return Diagnosis.Ok("queue", $"{address} answers: {Plural(queue.Topics.Count, "topic")}, {Plural(partitions, "partition")}, {Plural(queue.Topics.Sum(t => t.Records), "record")}");
        if (await ClockAsync(address, timeout, cancellationToken) is { } clock)
            yield return clock;
        var groups = queue.Groups.Where(g => !g.DividesInput).ToList();
        foreach (var topic in queue.Topics.Where(t => t.Partitions.Any(p => p.ExpiredUnread > 0)))
            yield return Expired(topic, [.. groups.Where(g => g.Topic == topic.Topic)]);
        if (groups.Count == 0)
            yield return Diagnosis.Warn("groups", "there are none: no collector has asked for records yet", "start a collector");
        foreach (var group in groups)
            yield return Of(group);
    }

    // When they did is not known: it says something of now only where a group does not keep up.
    private static Diagnosis Expired(TopicState topic, List<GroupState> groups)
    {
        var text = $"{topic.Topic}: {Plural(topic.Partitions.Sum(p => p.ExpiredUnread), "record")} expired before every group had read them";
        return groups.Count > 0 && groups.TrueForAll(g => g.Members.Count > 0 && !g.Paused && g.LagSeconds <= LagMax.TotalSeconds)
            ? Diagnosis.Ok("topic", text + ", at some time; every group keeps up now")
            : Diagnosis.Warn("topic", text, "start more collectors, raise MESSAGE_TTL, or delete a group that nobody reads any more");
    }

    private static Diagnosis Of(GroupState group)
    {
        var lag = $"{Plural(group.LagRecords, "record")} or {group.LagSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s behind";
        var gap = group.Shards.Sum(s => s.GapRecords);
        var text = $"{group.Group}: {Plural(group.Members.Count, "member")}, {lag}{(gap > 0 ? $", {Plural(gap, "record")} lost to gaps at some time" : "")}";
        var ownerless = group.Shards.Count(s => s.MemberId is null);
        if (group.Paused)
            return Diagnosis.Warn("group", text + "; it is paused", $"when the maintenance is over: broker groups resume {group.Group}");
        if (group.Members.Count == 0)
        {
            return group.LagRecords > 0
                ? Diagnosis.Fail("group", text, "start its collectors; a group that nobody reads any more is deleted by: broker groups delete " + group.Group)
                : Diagnosis.Warn("group", text, "start its collectors, before there is something to read");
        }
        if (ownerless > 0)
            return Diagnosis.Warn("group", $"{text}; {Plural(ownerless, "partition")} without an owner", "wait a moment: they are being given out; if they stay so, restart its collectors");
        if (group.LagSeconds > LagMax.TotalSeconds)
            return Diagnosis.Warn("group", text, "see whether the lag falls (broker groups describe); if not, start more collectors or look at their logs, and raise MESSAGE_TTL before records expire");
        return Diagnosis.Ok("group", text);
    }

    private static async Task<Diagnosis?> ClockAsync(string address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var connection = new QueueConnection(address);
        var before = DateTimeOffset.UtcNow;
        using var call = connection.Admin.ListTopicsAsync(new ListTopicsRequest(), deadline: (before + timeout).UtcDateTime, cancellationToken: cancellationToken);
        try
        {
            var headers = await call.ResponseHeadersAsync;
            return DateTimeOffset.TryParseExact(headers.GetValue("date"), "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var broker)
                ? ClockCheck.OfBroker(broker, before, DateTimeOffset.UtcNow)
                : null;
        }
        catch (RpcException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Diagnosis.Warn("clock", $"the broker's cannot be told: {error.Status.Detail}", "ask again");
        }
    }

    private static string Plural(long count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}
