using Google.Protobuf;
using Grpc.Core;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Publishes by one stream of the generated client, and keeps nothing: what the broker can do rather than its client.</summary>
internal sealed class RawPublisher : Publisher
{
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);

    private readonly QueueConnection _connection;
    private readonly AsyncDuplexStreamingCall<PublishRequest, PublishResponse> _call;
    private readonly PublishRequest[] _requests;
    private bool _named;

    private RawPublisher(QueueConnection connection, PublishRequest[] requests, int records, int recordBytes)
        : base(records, recordBytes)
    {
        _connection = connection;
        _call = connection.Queue.PublishStream();
        _requests = requests;
        foreach (var request in requests)
            request.Batch = UnsafeByteOperations.UnsafeWrap(Batch);
    }

    /// <summary>Opens an idempotent producer.</summary>
    public static async Task<RawPublisher> OpenAsync(QueueConnection connection, string topic, string producerId, int records, int recordBytes)
    {
        var opened = await connection.Queue.OpenProducerAsync(new OpenProducerRequest { Topic = topic, ProducerId = producerId });
        var requests = opened.Partitions.Select(partition => new PublishRequest
        {
            Topic = topic,
            Partition = partition.Partition,
            ProducerId = producerId,
            ProducerEpoch = opened.ProducerEpoch,
            RecordCount = records,
        });
        return new RawPublisher(connection, [.. requests], records, recordBytes);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _call.Dispose();
        return _connection.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override ValueTask SendAsync(int partition, long sequence, bool more)
    {
        var request = _requests[partition];
        request.BaseSequence = sequence;
        if (_named)
            (request.Topic, request.ProducerId) = ("", ""); // as in the request before
        _named = true;
        _call.RequestStream.WriteOptions = more ? MoreFollows : WriteOptions.Default;
        return new(_call.RequestStream.WriteAsync(request));
    }

    /// <inheritdoc/>
    protected override ValueTask EndAsync() => new(_call.RequestStream.CompleteAsync());

    /// <inheritdoc/>
    protected override async Task ReadAnswersAsync()
    {
        for (long number = 0; await _call.ResponseStream.MoveNext(CancellationToken.None); number++)
        {
            var answer = _call.ResponseStream.Current;
            if (answer.Error != ErrorCode.Ok)
                throw new QueueException(answer.Error, answer.Message);
            NoteAnswer(number);
        }
    }
}
