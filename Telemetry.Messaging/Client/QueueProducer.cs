namespace Telemetry.Messaging.Client;

/// <summary>How a producer publishes.</summary>
public sealed record ProducerOptions
{
    /// <summary>The topic; made on first use.</summary>
    public required string Topic { get; init; }

    /// <summary>The producer's name in the log, stable over restarts.</summary>
    public required string ProducerId { get; init; }

    /// <summary>Batches sent but not yet acknowledged, at most, in all partitions; a further one waits.</summary>
    public int InFlightMax { get; init; } = 16;

    /// <summary>How long the broker may hold a publish while the partition is full, before it refuses and the client backs off.</summary>
    public TimeSpan FullWait { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>What the log knows of a producer in one partition.</summary>
/// <param name="NextSequence">Records of this producer in the log.</param>
/// <param name="SourcePosition">The position published last; empty for none.</param>
/// <param name="RecordsAfterPosition">Records that were appended after the batch that carried it.</param>
public sealed record ProducerState(long NextSequence, ReadOnlyMemory<byte> SourcePosition, long RecordsAfterPosition);

/// <summary>The answer to a publish.</summary>
/// <param name="BaseOffset">The offset of the batch's first record; -1 for a duplicate whose offset is forgotten.</param>
/// <param name="Duplicate">It was in the log already.</param>
public readonly record struct PublishResult(long BaseOffset, bool Duplicate);

/// <summary>
/// An idempotent producer. It retries what can be retried (reconnecting and waiting as long as it takes), waits while the
/// partition is full, and splits what is too large; so a publish ends with its acknowledgement, <see cref="QueueException"/>
/// for what cannot be retried (fenced, invalid), or cancellation. Batches to one partition are appended in the order of the calls.
/// </summary>
public sealed class QueueProducer : IAsyncDisposable
{
    private QueueProducer() { }

    /// <summary>Opens the producer: fences older incarnations of its id and reads its state. Retries while the queue cannot be reached.</summary>
    public static Task<QueueProducer> OpenAsync(QueueConnection connection, ProducerOptions options, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>The state of each partition when the producer was opened; the index is the partition.</summary>
    public IReadOnlyList<ProducerState> Opened => throw new NotImplementedException();

    /// <summary>
    /// Takes a batch for sending, waiting while <see cref="ProducerOptions.InFlightMax"/> are under way. The task it returns
    /// inside ends when the batch is acknowledged.
    /// </summary>
    /// <param name="partition">0 up to the number of partitions.</param>
    /// <param name="batch">The encoded batch; must not change afterwards.</param>
    /// <param name="recordCount">Its records.</param>
    /// <param name="sourcePosition">Where the source stands after it; empty for no statement.</param>
    /// <param name="cancellationToken">Gives up waiting for room; what was taken goes on.</param>
    public ValueTask<Task<PublishResult>> SendAsync(
        int partition, ReadOnlyMemory<byte> batch, int recordCount, ReadOnlyMemory<byte> sourcePosition, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Waits until everything taken is acknowledged.</summary>
    /// <exception cref="QueueException">A publish failed for good.</exception>
    public Task FlushAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Ends the producer without waiting for what is under way.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
