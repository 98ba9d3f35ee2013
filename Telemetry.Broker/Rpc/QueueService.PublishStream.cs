using System.Threading.Channels;
using Grpc.Core;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

// Pipelined publishing. Batches are appended as they are read, so one that waits for room in its partition does not hold up
// later ones to other partitions; but answers go out in order, so at most PublishesUnderWayMax batches, or
// BytesUnderWayMax bytes, are taken beyond the oldest that is not answered yet.
internal sealed partial class QueueService
{
    private const int PublishesUnderWayMax = 16_384;
    private const long BytesUnderWayMax = 16 << 20;

    private const int AnswersMax = 1024; // in a message

    public override async Task PublishStream(
        IAsyncStreamReader<PublishRequests> requestStream, IServerStreamWriter<PublishResponses> responseStream, ServerCallContext context)
    {
        using var answered = new CancellationTokenSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, core.Stopping, answered.Token);
        var underWay = Channel.CreateBounded<UnderWay>(new BoundedChannelOptions(PublishesUnderWayMax) { SingleReader = true, SingleWriter = true });
        var bytes = new ByteWindow(BytesUnderWayMax);
        var answering = AnswerAsync(underWay.Reader, responseStream, bytes, answered);
        try
        {
            PublishRequest? before = null;
            while (await requestStream.MoveNext(ending.Token))
            {
                foreach (var request in requestStream.Current.Publishes)
                {
                    if (request.Topic.Length == 0 && before is not null)
                        (request.Topic, request.ProducerId, request.ProducerEpoch) = (before.Topic, before.ProducerId, before.ProducerEpoch);
                    before = request;
                    await bytes.TakeAsync(request.Batch.Length, ending.Token);
                    // Its outcome is not awaited here: the batch is in its partition's line when the call returns.
                    var publish = Publish(request, context.CancellationToken);
                    if (!underWay.Writer.TryWrite(publish))
                        await underWay.Writer.WriteAsync(publish, answered.Token);
                }
            }
        }
        catch (Exception error) when (ending.IsCancellationRequested && error is OperationCanceledException or RpcException or IOException)
        {
            // The broker stops, the client is gone, or answering failed; each is dealt with below.
        }
        finally
        {
            underWay.Writer.Complete();
            await answering;
        }
        core.ThrowIfStopping();
        context.CancellationToken.ThrowIfCancellationRequested();
    }

    private async Task AnswerAsync(
        ChannelReader<UnderWay> underWay, IServerStreamWriter<PublishResponses> responseStream, ByteWindow bytes, CancellationTokenSource answered)
    {
        var named = new HashSet<PartitionLog>();
        try
        {
            while (await underWay.WaitToReadAsync(CancellationToken.None))
            {
                var message = new PublishResponses();
                do
                {
                    if (!underWay.TryRead(out var next))
                        break;
                    var outcome = await next.Ticket.OutcomeAsync();
                    bytes.GiveBack(next.Bytes);
                    message.Answers.Add(Answer(next, outcome, withLog: outcome.Error == ErrorCode.Ok && named.Add(next.Partition!)));
                }
                // What is ready goes together; nobody waits for the next one.
                while (message.Answers.Count < AnswersMax && underWay.TryPeek(out var following) && following.Ticket.IsCompleted);
                await responseStream.WriteAsync(message, CancellationToken.None);
            }
        }
        finally
        {
            // When the client is gone there is nobody to read from either.
            await answered.CancelAsync();
        }
    }

    /// <summary>Counts bytes that one side takes, waiting for room, and the other gives back.</summary>
    private sealed class ByteWindow(long bytesMax)
    {
        private readonly Signal _givenBack = new();
        private long _taken;

        public async ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
        {
            while (!HasRoom(bytes))
            {
                var next = _givenBack.Next;
                if (HasRoom(bytes))
                    break;
                await next.WaitAsync(cancellationToken);
            }
            Interlocked.Add(ref _taken, bytes);
        }

        private bool HasRoom(long bytes) => Volatile.Read(ref _taken) is var taken && (taken == 0 || taken + bytes <= bytesMax);

        public void GiveBack(long bytes)
        {
            Interlocked.Add(ref _taken, -bytes);
            _givenBack.Pulse();
        }
    }
}
