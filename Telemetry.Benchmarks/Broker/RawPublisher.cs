using Google.Protobuf;
using Grpc.Core;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Publishes by one stream of the generated client, and keeps nothing: what the broker can do rather than its client.</summary>
internal sealed class RawPublisher : Publisher
{
    private const int MessageBytes = 64 << 10; // as QueueProducer
    private const int WaitMs = 30_000; // for room, as QueueProducer

    private readonly QueueConnection _connection;
    private readonly AsyncDuplexStreamingCall<PublishRequests, PublishResponses> _call;
    private readonly PublishRequests _message = new();
    private readonly PublishRequest[] _publishes;
    private readonly string _topic;
    private readonly string _producerId;
    private readonly int _producerEpoch;
    private bool _named;

    private RawPublisher(QueueConnection connection, string topic, string producerId, int producerEpoch, int records, int recordBytes)
        : base(records, recordBytes)
    {
        _connection = connection;
        _call = connection.Queue.PublishStream();
        (_topic, _producerId, _producerEpoch) = (topic, producerId, producerEpoch);
        var batch = UnsafeByteOperations.UnsafeWrap(Batch);
        _publishes = new PublishRequest[(MessageBytes + Batch.Length - 1) / Batch.Length];
        for (var i = 0; i < _publishes.Length; i++)
            _publishes[i] = new PublishRequest { RecordCount = records, Batch = batch, WaitMs = WaitMs };
    }

    /// <summary>Opens an idempotent producer.</summary>
    public static async Task<RawPublisher> OpenAsync(QueueConnection connection, string topic, string producerId, int records, int recordBytes)
    {
        var opened = await connection.Queue.OpenProducerAsync(new OpenProducerRequest { Topic = topic, ProducerId = producerId });
        return new RawPublisher(connection, topic, producerId, opened.ProducerEpoch, records, recordBytes);
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
        var publish = _publishes[_message.Publishes.Count];
        (publish.Partition, publish.BaseSequence) = (partition, sequence);
        _message.Publishes.Add(publish);
        return more && _message.Publishes.Count < _publishes.Length ? default : new(WriteAsync());
    }

    /// <inheritdoc/>
    protected override async ValueTask EndAsync()
    {
        if (_message.Publishes.Count > 0)
            await WriteAsync();
        await _call.RequestStream.CompleteAsync();
    }

    /// <inheritdoc/>
    protected override async Task ReadAnswersAsync()
    {
        long number = 0;
        while (await _call.ResponseStream.MoveNext(CancellationToken.None))
        {
            foreach (var answer in _call.ResponseStream.Current.Answers)
            {
                if (answer.Error != ErrorCode.Ok)
                {
                    _call.Dispose(); // or who sends would wait for ever for answers to be read
                    throw new QueueException(answer.Error, answer.Message);
                }
                NoteAnswer(number++);
            }
        }
    }

    private async Task WriteAsync()
    {
        var first = _message.Publishes[0];
        if (!_named)
            (first.Topic, first.ProducerId, first.ProducerEpoch) = (_topic, _producerId, _producerEpoch);
        await _call.RequestStream.WriteAsync(_message);
        _message.Publishes.Clear();
        if (!_named)
            (first.Topic, first.ProducerId, first.ProducerEpoch) = ("", "", 0); // from now on as in the publish before
        _named = true;
    }
}
