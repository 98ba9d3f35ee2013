using System.Threading.Channels;
using Telemetry.Messaging.Client;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Publishes by <see cref="QueueProducer"/>, as services do.</summary>
internal sealed class ClientPublisher(QueueConnection connection, QueueProducer producer, int records, int recordBytes) : Publisher(records, recordBytes)
{
    private const int InFlightBytesMax = 8 << 20;

    private readonly Channel<Task<PublishResult>> _sent = Channel.CreateUnbounded<Task<PublishResult>>(new() { SingleReader = true, SingleWriter = true });

    /// <summary>Opens the producer.</summary>
    public static async Task<ClientPublisher> OpenAsync(
        QueueConnection connection, string topic, string producerId, int records, int recordBytes, CancellationToken cancellationToken)
    {
        var options = new ProducerOptions
        {
            Topic = topic,
            ProducerId = producerId,
            InFlightMax = Math.Clamp(InFlightBytesMax / (records * recordBytes), 16, 4096),
        };
        return new ClientPublisher(connection, await QueueProducer.OpenAsync(connection, options, cancellationToken), records, recordBytes);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await producer.DisposeAsync();
        await connection.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override async ValueTask SendAsync(int partition, long sequence, bool more) =>
        _sent.Writer.TryWrite(await producer.SendAsync(partition, Batch, Records, default, CancellationToken.None));

    /// <inheritdoc/>
    protected override ValueTask EndAsync()
    {
        _sent.Writer.Complete();
        return default;
    }

    /// <inheritdoc/>
    protected override async Task ReadAnswersAsync()
    {
        long number = 0;
        await foreach (var publish in _sent.Reader.ReadAllAsync())
        {
            await publish;
            NoteAnswer(number++);
        }
    }
}
