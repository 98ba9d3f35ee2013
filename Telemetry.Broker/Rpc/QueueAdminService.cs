using Grpc.Core;
using Telemetry.Broker.Groups;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>The RPCs of operators.</summary>
internal sealed class QueueAdminService(BrokerCore core) : QueueAdmin.QueueAdminBase
{
    private const long PeekBytesMax = BrokerLimits.BatchBytesMax;

    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context)
    {
        var response = new ListTopicsResponse();
        response.Topics.AddRange(core.Topics.All.Select(topic => topic.ToMessage()));
        return Task.FromResult(response);
    }

    public override Task<TopicDescription> DescribeTopic(DescribeTopicRequest request, ServerCallContext context) =>
        Task.FromResult(core.Topics.Get(request.Topic).ToMessage());

    public override Task<TopicDescription> CreateTopic(CreateTopicRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        return Task.FromResult(core.Topics.Create(request.Topic, request.Partitions).ToMessage());
    }

    public override Task<TopicDescription> AddPartitions(AddPartitionsRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        return Task.FromResult(core.AddPartitions(request.Topic, request.Partitions).ToMessage());
    }

    public override async Task<DeleteTopicResponse> DeleteTopic(DeleteTopicRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        await core.DeleteTopicAsync(request.Topic);
        return new DeleteTopicResponse();
    }

    public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context)
    {
        var response = new ListGroupsResponse();
        response.Groups.AddRange(core.Groups.All.Select(group => group.Describe().ToMessage()));
        return Task.FromResult(response);
    }

    public override Task<GroupDescription> DescribeGroup(DescribeGroupRequest request, ServerCallContext context)
    {
        var lastMs = Requests.HistoryMs(request);
        var lags = Requests.LagHistory(request);
        var group = core.Groups.Get(request.Group);
        var description = group.Describe().ToMessage();
        if (lastMs > 0)
            description.History.AddRange(core.Groups.History(request.Group, lastMs).Select(point => point.ToMessage()));
        if (lags.LastMs > 0)
            description.LagHistory.AddRange(Lags(group, core.Clock.UnixMs - lags.LastMs, lags.StepMs).SelectMany(moment => moment.ToMessages()));
        return Task.FromResult(description);
    }

    // In longer steps than were asked for, where that is needed for an answer of bounded size.
    private IReadOnlyList<LagMoment> Lags(Group group, long sinceUnixMs, long stepMs)
    {
        var moments = group.LagsSince(sinceUnixMs, stepMs);
        while (moments.Count > 1 && moments.Sum(moment => (long)moment.Partitions.Length) > core.Limits.LagPointsMax)
        {
            stepMs = Math.Max((long)LagHistory.Step.TotalMilliseconds, 2 * stepMs);
            moments = group.LagsSince(sinceUnixMs, stepMs);
        }
        return moments;
    }

    public override Task<DeleteGroupResponse> DeleteGroup(DeleteGroupRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        core.Groups.Delete(request.Group);
        return Task.FromResult(new DeleteGroupResponse());
    }

    public override Task<GroupDescription> PauseGroup(PauseGroupRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        return Task.FromResult(core.Groups.Pause(request.Group, request.Paused).Describe().ToMessage());
    }

    public override Task<ResetOffsetsResponse> ResetOffsets(ResetOffsetsRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        var moves = request.ToCase == ResetOffsetsRequest.ToOneofCase.CommittedAtUnixMs
            ? core.Groups.ResetToCommittedAt(request.Group, request.Partitions, Requests.CommittedAtUnixMs(request), request.DryRun)
            : core.Groups.ResetOffsets(request.Group, request.Partitions, Requests.To(request), request.DryRun);
        var response = new ResetOffsetsResponse();
        response.Resets.AddRange(moves.Select(move => new OffsetReset { Partition = move.Partition, FromOffset = move.From, ToOffset = move.To }));
        return Task.FromResult(response);
    }

    public override async Task<PeekResponse> Peek(PeekRequest request, ServerCallContext context)
    {
        var count = Requests.PeekBatches(request);
        var partition = core.Topics.Get(request.Topic).Partition(request.Partition);
        var offset = Math.Clamp(request.Offset, partition.StartOffset, partition.HighWatermark);
        var batches = new List<StoredBatch>();
        // One batch at least, and no more together than a client with default limits can receive.
        await partition.ReadAsync(offset, PeekBytesMax / 2, batches, context.CancellationToken);
        var response = new PeekResponse { LogStartOffset = partition.StartOffset, HighWatermark = partition.HighWatermark };
        response.Batches.AddRange(batches.Take(count).Select(batch => batch.ToMessage()));
        return response;
    }
}
