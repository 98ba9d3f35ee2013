using System.Diagnostics;
using Grpc.Core;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>The RPCs of producers and consumers. Each checks its request, asks the core and translates the answer.</summary>
internal sealed partial class QueueService(BrokerCore core, BrokerMetrics metrics) : Queue.QueueBase
{
    public override async Task<OpenProducerResponse> OpenProducer(OpenProducerRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        Names.Producer(request.ProducerId);
        var topic = core.Topics.GetOrMake(request.Topic);
        var (epoch, partitions) = await topic.OpenProducerAsync(request.ProducerId, context.CancellationToken);
        var response = new OpenProducerResponse
        {
            ProducerEpoch = epoch,
            BatchBytesMax = BrokerLimits.BatchBytesMax,
            BatchRecordsMax = core.Settings.BatchRecordsMax,
        };
        for (var i = 0; i < partitions.Length; i++)
            response.Partitions.Add(partitions[i].ToMessage(topic.Partitions[i]));
        return response;
    }

    public override async Task<PublishResponse> Publish(PublishRequest request, ServerCallContext context)
    {
        var response = await PublishAsync(request, context.CancellationToken);
        return response.Error == ErrorCode.Ok ? response : throw BrokerErrors.ToRpc(response.Error, response.Message);
    }

    public override Task<CommitResponse> Commit(CommitRequest request, ServerCallContext context)
    {
        core.ThrowIfStopping();
        Names.Member(request.MemberId);
        var group = core.Groups.Get(request.Group);
        var response = new CommitResponse();
        foreach (var offset in request.Offsets)
        {
            var (error, message) = group.Commit(request.MemberId, offset.Shard, offset.Offset, offset.Generation);
            response.Results.Add(new CommitResult { Shard = offset.Shard, Error = error, Message = message });
        }
        return Task.FromResult(response);
    }

    /// <summary>Publishes; what the broker refuses is in the answer. Until the first wait nothing is awaited, so calls append in their order.</summary>
    private async ValueTask<PublishResponse> PublishAsync(PublishRequest request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        PartitionLog partition;
        ValueTask<PublishOutcome> publish;
        try
        {
            core.ThrowIfStopping();
            var batch = Requests.Batch(request);
            var wait = Requests.Wait(request);
            partition = PartitionFor(request);
            publish = partition.PublishAsync(batch, wait, cancellationToken);
        }
        catch (BrokerException refused)
        {
            metrics.Rejected(refused.Code);
            return Refusal(refused.Code, refused.Message);
        }
        var outcome = await publish;
        if (outcome.Error != ErrorCode.Ok)
            return Refusal(outcome.Error, outcome.Message);
        metrics.PublishTook(Stopwatch.GetElapsedTime(started));
        return new PublishResponse { BaseOffset = outcome.BaseOffset, Duplicate = outcome.Duplicate, Log = partition.Log.ToMessage() };
    }

    private PartitionLog PartitionFor(PublishRequest request)
    {
        var topic = core.Topics.Find(request.Topic);
        if (topic is null)
        {
            Names.Topic(request.Topic);
            // A producer that was opened and whose topic is gone has to open again; that also makes the topic.
            if (request.ProducerId.Length > 0)
                throw new BrokerException(ErrorCode.UnknownProducer, $"topic '{request.Topic}' is not known, so no producer is: open it");
            topic = core.Topics.GetOrMake(request.Topic);
        }
        return topic.Partition(request.Partition);
    }

    private static PublishResponse Refusal(ErrorCode code, string message) =>
        new() { Error = code, Message = message, RetryAfterMs = BrokerErrors.RetryAfterMs(code), BaseOffset = -1 };
}
