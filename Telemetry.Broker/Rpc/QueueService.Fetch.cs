using Grpc.Core;
using Telemetry.Broker.Log;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

// Fetching: one task reads credit, the other sends batches as long as there is some.
internal sealed partial class QueueService
{
    private const long ReadBytesMax = 1 << 20;

    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint); // not flushed yet: fewer, larger writes

    public override async Task Fetch(IAsyncStreamReader<FetchRequest> requestStream, IServerStreamWriter<FetchResponse> responseStream, ServerCallContext context)
    {
        core.ThrowIfStopping();
        if (!await requestStream.MoveNext(context.CancellationToken))
            return;
        if (requestStream.Current.KindCase != FetchRequest.KindOneofCase.Start)
            throw BrokerException.Invalid("start: is missing: it has to come first");
        var start = requestStream.Current.Start;
        var from = Requests.From(start);
        // Who has read a log that is lost learns it from the new one; anybody else asks for a topic that is not there.
        var topic = start.ExpectedLog is null ? core.Topics.Get(start.Topic) : core.Topics.GetOrMake(start.Topic);
        var partition = topic.Partition(start.Partition);
        var group = start.Group.Length > 0 && core.Groups.Find(Names.Group(start.Group)) is not null ? start.Group : "";

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, core.Stopping);
        var credit = new Credit(start.CreditBytes);
        var sending = SendAsync(partition, PartitionCursor.Open(partition, from), group, credit, responseStream, ending.Token);
        var reading = ReadCreditAsync(requestStream, credit, ending.Token);
        await EndTogether(sending, reading, ending);
    }

    /// <summary>Waits for two halves of a call until one ends, which decides how the call ends, and then ends the other.</summary>
    private async Task EndTogether(Task one, Task other, CancellationTokenSource ending)
    {
        var first = await Task.WhenAny(one, other);
        await ending.CancelAsync();
        // Cancelled for the first one's sake: however it ends says nothing.
        await (first == one ? other : one).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // When the broker stops, a read may end as cancelled, as broken or as the end of the stream; the client is told the reason.
        core.ThrowIfStopping();
        await first;
    }

    private async Task SendAsync(
        PartitionLog partition, PartitionCursor cursor, string group, Credit credit, IServerStreamWriter<FetchResponse> responseStream, CancellationToken cancellationToken)
    {
        await responseStream.WriteAsync(
            new FetchResponse
            {
                Started = new FetchStarted { Log = partition.Log.ToMessage(), Offset = cursor.Next, LogStartOffset = partition.StartOffset },
                HighWatermark = partition.HighWatermark,
            },
            cancellationToken);
        var batches = new List<StoredBatch>();
        while (true)
        {
            if (!await credit.WaitAsync(cancellationToken))
                return;
            var changed = partition.Changed;
            batches.Clear();
            if (await cursor.ReadAsync(Math.Min(credit.Bytes, ReadBytesMax), batches, cancellationToken) is { } gap)
            {
                metrics.Gap(partition.Topic, GapName(gap.Reason));
                responseStream.WriteOptions = WriteOptions.Default;
                await responseStream.WriteAsync(
                    new FetchResponse
                    {
                        Gap = new Gap { FromOffset = gap.From, ToOffset = gap.To, Reason = gap.Reason },
                        HighWatermark = partition.HighWatermark,
                    },
                    cancellationToken);
            }
            else if (batches.Count == 0)
            {
                await changed.WaitAsync(cancellationToken);
            }
            else
            {
                await SendAsync(partition, batches, group, credit, responseStream, cancellationToken);
            }
        }
    }

    private async Task SendAsync(
        PartitionLog partition, List<StoredBatch> batches, string group, Credit credit, IServerStreamWriter<FetchResponse> responseStream, CancellationToken cancellationToken)
    {
        for (var i = 0; i < batches.Count; i++)
        {
            credit.Spend(batches[i].Payload.Length);
            responseStream.WriteOptions = i + 1 < batches.Count ? MoreFollows : WriteOptions.Default;
            await responseStream.WriteAsync(new FetchResponse { Batch = batches[i].ToMessage(), HighWatermark = partition.HighWatermark }, cancellationToken);
            metrics.Consumed(partition.Topic, group, batches[i].RecordCount);
        }
    }

    private static async Task ReadCreditAsync(IAsyncStreamReader<FetchRequest> requestStream, Credit credit, CancellationToken cancellationToken)
    {
        while (await requestStream.MoveNext(cancellationToken))
        {
            var request = requestStream.Current;
            if (request.KindCase != FetchRequest.KindOneofCase.CreditBytes)
                throw BrokerException.Invalid("credit_bytes: is missing: after the start only credit is accepted");
            if (request.CreditBytes < 0)
                throw BrokerException.Invalid($"credit_bytes: {request.CreditBytes} is not accepted: expected 0 or more");
            credit.Add(request.CreditBytes);
        }
        // The consumer closed its side: what its credit covers is still sent.
        credit.End();
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    }

    private static string GapName(GapReason reason) => reason switch
    {
        GapReason.GapExpired => "expired",
        GapReason.GapLogReplaced => "log_replaced",
        GapReason.GapCorrupt => "corrupt",
        _ => "unknown",
    };

    /// <summary>Bytes that the consumer takes. May become negative by the last batch, so that a batch larger than the credit still passes.</summary>
    private sealed class Credit(long bytes)
    {
        private const long BytesMax = 1L << 40;

        private readonly Signal _added = new();
        private long _bytes = Math.Min(bytes, BytesMax);
        private volatile bool _ended;

        public long Bytes => Interlocked.Read(ref _bytes);

        public void Add(long more)
        {
            // Bounded, so that a client cannot make it overflow; nobody has a terabyte under way.
            if (Interlocked.Add(ref _bytes, Math.Min(more, BytesMax)) > BytesMax)
                Interlocked.Exchange(ref _bytes, BytesMax);
            _added.Pulse();
        }

        public void Spend(long spent) => Interlocked.Add(ref _bytes, -spent);

        /// <summary>No more will be added.</summary>
        public void End()
        {
            _ended = true;
            _added.Pulse();
        }

        /// <summary>Waits until there is credit; false when there will be none.</summary>
        public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                var next = _added.Next;
                if (Bytes > 0)
                    return true;
                if (_ended)
                    return false;
                await next.WaitAsync(cancellationToken);
            }
        }
    }
}
