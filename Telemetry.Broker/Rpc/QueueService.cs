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
        var publish = Publish(request, context.CancellationToken);
        var outcome = await publish.Ticket.OutcomeAsync();
        return outcome.Error == ErrorCode.Ok ? Answer(publish, outcome, withLog: true) : throw BrokerErrors.ToRpc(outcome.Error, outcome.Message);
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

    /// <summary>Publishes. Nothing is awaited here, so calls append in their order.</summary>
    private UnderWay Publish(PublishRequest request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            core.ThrowIfStopping();
            var batch = Requests.Batch(request);
            var wait = Requests.Wait(request);
            var partition = PartitionFor(request);
            return new UnderWay(partition.Publish(batch, wait, cancellationToken), partition, started, request.Batch.Length);
        }
        catch (BrokerException refused)
        {
            metrics.Rejected(refused.Code);
            return new UnderWay(new PublishTicket(PublishOutcome.Refused(refused.Code, refused.Message)), null, started, request.Batch.Length);
        }
    }

    /// <summary>The answer to a publish; what the broker refuses is in it.</summary>
    /// <param name="publish">The publish.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="withLog">Whether the answer names the log.</param>
    private PublishResponse Answer(in UnderWay publish, in PublishOutcome outcome, bool withLog)
    {
        if (outcome.Error != ErrorCode.Ok)
        {
            return new PublishResponse
            {
                Error = outcome.Error,
                Message = outcome.Message,
                RetryAfterMs = BrokerErrors.RetryAfterMs(outcome.Error),
                BaseOffset = -1,
            };
        }
        metrics.PublishTook(Stopwatch.GetElapsedTime(publish.Started));
        return new PublishResponse { BaseOffset = outcome.BaseOffset, Duplicate = outcome.Duplicate, Log = withLog ? publish.Partition!.Log.ToMessage() : null };
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

    /// <summary>A publish that is not answered yet.</summary>
    /// <param name="Ticket">How it ends.</param>
    /// <param name="Partition">Where; null when it was refused before.</param>
    /// <param name="Started">When it came.</param>
    /// <param name="Bytes">Bytes of its batch.</param>
    private readonly record struct UnderWay(PublishTicket Ticket, PartitionLog? Partition, long Started, int Bytes);
}
