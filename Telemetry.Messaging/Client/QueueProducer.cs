using Microsoft.Extensions.Logging.Abstractions;

namespace Telemetry.Messaging.Client;

/// <summary>
/// An idempotent producer. It retries what can be retried (reconnecting and waiting as long as it takes), waits while the
/// partition is full, and splits what is too large; so a publish ends with its acknowledgement, <see cref="QueueException"/>
/// for what cannot be retried (fenced, invalid), or cancellation. Batches to one partition are appended in the order of the calls.
/// </summary>
/// <remarks>
/// All partitions share one stream, on which answers come in the order of the requests. When it breaks, everything that is
/// not acknowledged is sent again in order with its sequences, and the log finds the duplicates. When the log itself is new
/// (a broker without a disk was restarted), the producer opens again and numbers what is not acknowledged anew.
/// </remarks>
public sealed partial class QueueProducer : IAsyncDisposable
{
    /// <summary>The most bytes of a source position.</summary>
    public const int SourcePositionBytesMax = 4096;

    private static readonly TimeSpan FullWaitMax = TimeSpan.FromSeconds(30);

    private readonly QueueConnection _connection;
    private readonly ProducerOptions _options;
    private readonly LinkLog _link;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<PartitionOutbox> _partitions = [];
    private readonly HashSet<PendingPublish> _pending = [];
    private readonly LinkedList<Waiting> _waiting = []; // for a place among InFlightMax, in the order of the calls
    private int _epoch;
    private int _batchBytesMax;
    private int _batchRecordsMax;
    private Exception? _firstFailure; // since the last flush
    private Exception? _ended; // why nothing can be sent any more
    private Task _running = Task.CompletedTask;

    private QueueProducer(QueueConnection connection, ProducerOptions options)
    {
        _connection = connection;
        _options = options;
        _link = new LinkLog(options.Logger ?? NullLogger.Instance, $"producer {options.ProducerId}", options.Time);
        _timer = options.Time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Opens the producer: fences older incarnations of its id and reads its state. Retries while the queue cannot be reached.</summary>
    /// <exception cref="QueueException">The queue refuses for good.</exception>
    public static async Task<QueueProducer> OpenAsync(QueueConnection connection, ProducerOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.InFlightMax, 1);
        ArgumentException.ThrowIfNullOrEmpty(options.ProducerId);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.FullWait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.FullWait, FullWaitMax);
        var producer = new QueueProducer(connection, options);
        try
        {
            var opened = await producer.OpenOnceAsync(cancellationToken);
            producer.Adopt(opened);
            producer.Opened = [.. opened.Partitions.Select(partition => new ProducerState(
                partition.NextSequence, partition.SourcePosition.Memory, partition.NextSequence - partition.PositionSequence))];
        }
        catch
        {
            await producer.DisposeAsync();
            throw;
        }
        producer._running = Task.Run(producer.RunAsync, CancellationToken.None);
        return producer;
    }

    /// <summary>The state of each partition when the producer was opened; the index is the partition.</summary>
    public IReadOnlyList<ProducerState> Opened { get; private set; } = [];

    /// <summary>
    /// Takes a batch for sending, waiting while <see cref="ProducerOptions.InFlightMax"/> are under way. The task it returns
    /// inside ends when the batch is acknowledged.
    /// </summary>
    /// <param name="partition">0 up to the number of partitions.</param>
    /// <param name="batch">The encoded batch; must not change afterwards.</param>
    /// <param name="recordCount">Its records.</param>
    /// <param name="sourcePosition">Where the source stands after it; empty for no statement.</param>
    /// <param name="cancellationToken">Gives up waiting for room; what was taken goes on.</param>
    /// <exception cref="QueueException">The producer was fenced, or the batch is too large and cannot be split.</exception>
    public ValueTask<Task<PublishResult>> SendAsync(
        int partition, ReadOnlyMemory<byte> batch, int recordCount, ReadOnlyMemory<byte> sourcePosition, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recordCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sourcePosition.Length, SourcePositionBytesMax, nameof(sourcePosition));
        cancellationToken.ThrowIfCancellationRequested();
        var publish = new PendingPublish(partition, recordCount, sourcePosition);
        var pieces = BatchSplitter.Fit(publish, batch, _batchBytesMax, _batchRecordsMax);
        publish.AddPieces(pieces.Count);
        lock (_gate)
        {
            ThrowIfEnded();
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)_partitions.Count, nameof(partition));
            if (_pending.Count < _options.InFlightMax && _waiting.Count == 0)
            {
                Take(publish, pieces);
                return ValueTask.FromResult(publish.Task);
            }
            return new(WaitForRoomAsync(_waiting.AddLast(new Waiting(publish, pieces)), cancellationToken));
        }
    }

    /// <summary>Waits until everything taken is acknowledged.</summary>
    /// <exception cref="QueueException">A publish failed for good since the last flush.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Task<PublishResult>[] pending;
        lock (_gate)
            pending = [.. _pending.Select(publish => publish.Task)];
        // How each ended is its own task's to say; the first failure is kept for this call.
        Task all = Task.WhenAll(pending);
        await all.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var failure = _ended ?? _firstFailure;
            _firstFailure = null;
            if (failure is not null)
                throw Failure(failure);
        }
    }

    /// <summary>Ends the producer without waiting for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        End(new ObjectDisposedException(nameof(QueueProducer)));
        if (!_stop.IsCancellationRequested)
            await _stop.CancelAsync();
        await _running;
        await _timer.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<Task<PublishResult>> WaitForRoomAsync(LinkedListNode<Waiting> node, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (producer, node) = ((QueueProducer, LinkedListNode<Waiting>))state!;
                lock (producer._gate)
                {
                    if (node.List is null)
                        return; // taken, or ended
                    producer._waiting.Remove(node);
                }
                node.Value.Room.TrySetCanceled(token);
            },
            (this, node));
        await node.Value.Room.Task;
        return node.Value.Publish.Task;
    }

    private void Take(PendingPublish publish, List<Piece> pieces)
    {
        _pending.Add(publish);
        foreach (var piece in pieces)
            _partitions[publish.Partition].Append(piece);
        Wake();
    }

    /// <summary>A publish has ended, so a waiting one is taken.</summary>
    private void Leave(PendingPublish publish)
    {
        _pending.Remove(publish);
        while (_pending.Count < _options.InFlightMax && _waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            Take(next.Value.Publish, next.Value.Pieces);
            next.Value.Room.TrySetResult();
        }
    }

    /// <summary>Nothing can be sent any more: everything pending fails. The first reason stays.</summary>
    private void End(Exception reason)
    {
        lock (_gate)
        {
            if (_ended is not null)
                return;
            _ended = reason;
            foreach (var waiting in _waiting)
                waiting.Room.TrySetException(Failure(reason));
            _waiting.Clear();
            foreach (var publish in _pending)
            {
                if (reason is ObjectDisposedException)
                    publish.Cancel();
                else
                    publish.Fail(Failure(reason));
            }
            _pending.Clear();
        }
    }

    private void ThrowIfEnded()
    {
        if (_ended is not null)
            throw Failure(_ended);
    }

    /// <summary>A new exception for each caller, so that no stack trace is shared.</summary>
    private static Exception Failure(Exception reason) => reason switch
    {
        QueueException queue => new QueueException(queue.Code, queue.Message, queue),
        ObjectDisposedException => new ObjectDisposedException(nameof(QueueProducer)),
        _ => new InvalidOperationException("the producer has stopped: " + reason.Message, reason),
    };

    private sealed record Waiting(PendingPublish Publish, List<Piece> Pieces)
    {
        public TaskCompletionSource Room { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
