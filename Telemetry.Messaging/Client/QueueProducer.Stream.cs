using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <content>The stream: what is sent, and what an answer means.</content>
public sealed partial class QueueProducer
{
    private const int MessageBytes = 64 << 10; // a message takes publishes until it has these
    private const int PublishBytes = 64; // of a publish, beside its batch and its source position

    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly ITimer _timer;
    private readonly Backoff _backoff = new();
    private readonly Queue<Piece> _awaited = new(); // on the stream that is open, in the order of the requests
    private int _nextPartition;
    private bool _mustOpen;
    private bool _openedInVain; // nothing was acknowledged since it was opened again

    private ILogger Logger => _options.Logger ?? NullLogger.Instance;

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    if (_mustOpen)
                    {
                        Adopt(await OpenOnceAsync(_stop.Token));
                        _openedInVain = true;
                    }
                    var reason = await RunStreamAsync();
                    if (_mustOpen && !_openedInVain)
                        continue;
                    _link.Lost(reason);
                }
                catch (RpcException error) when (QueueErrors.IsRetriable(error) && !_stop.IsCancellationRequested)
                {
                    _link.Lost(QueueErrors.Reason(error));
                }
                await Task.Delay(_backoff.Next(), _options.Time, _stop.Token);
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // The end was asked for; whatever the closing connection threw is its consequence.
        }
        catch (Exception error)
        {
            var reason = error is RpcException status ? QueueErrors.Refusal(status) : error;
            MessagingLog.ProducerEnded(Logger, _options.ProducerId, reason.Message);
            End(reason);
        }
    }

    private Task<OpenProducerResponse> OpenOnceAsync(CancellationToken cancellationToken)
    {
        var request = new OpenProducerRequest { Topic = _options.Topic, ProducerId = _options.ProducerId };
        return QueueRetry.CallAsync(
            QueueRetry.ForEver(_options.Time, (error, _) => _link.Lost(QueueErrors.Reason(error))),
            token => _connection.Queue.OpenProducerAsync(request, deadline: DateTime.UtcNow + QueueConnection.CallTimeout, cancellationToken: token).ResponseAsync,
            cancellationToken);
    }

    /// <summary>Takes over what the log knows of this producer; numbers what is unacknowledged anew where the log is another one.</summary>
    private void Adopt(OpenProducerResponse opened)
    {
        lock (_gate)
        {
            _mustOpen = false;
            _epoch = opened.ProducerEpoch;
            _batchBytesMax = opened.BatchBytesMax > 0 ? Math.Min(opened.BatchBytesMax, RecordBatchLimits.BytesMax) : RecordBatchLimits.BytesMax;
            _batchRecordsMax = opened.BatchRecordsMax > 0 ? opened.BatchRecordsMax : RecordBatchLimits.RecordsMax;
            for (var i = 0; i < opened.Partitions.Count; i++)
            {
                var state = opened.Partitions[i];
                var log = LogIdentities.Of(state.Log);
                if (state.Partition != i)
                    throw new QueueException(ErrorCode.InvalidRequest, $"the queue's answer has partition {state.Partition} in the place of {i}");
                if (i == _partitions.Count)
                    _partitions.Add(new PartitionOutbox(i, log, state.NextSequence));
                else
                    Adopt(_partitions[i], log, state.NextSequence);
            }
        }
        _link.Back();
    }

    private void Adopt(PartitionOutbox partition, LogIdentity log, long nextSequence)
    {
        // Within what is unacknowledged: a part of it was appended before the answer was lost. Its sequences stay, the log finds the duplicates.
        if (nextSequence > partition.FirstSequence && nextSequence <= partition.NextSequence)
        {
            partition.Renumber(log, partition.FirstSequence);
            return;
        }
        // (Sequence 0 in a known log: the log forgot a producer that was not heard of for long, and there is nothing to mend.)
        if (log == partition.Log && nextSequence > 0 && nextSequence < partition.FirstSequence)
            throw new QueueException(ErrorCode.OutOfOrderSequence, $"partition {partition.Number} has {nextSequence} records of this producer, but {partition.FirstSequence} were acknowledged");
        if (nextSequence > partition.NextSequence)
            throw new QueueException(ErrorCode.ProducerFenced, $"partition {partition.Number} has {nextSequence} records of this producer, but it sent {partition.NextSequence}: another one uses its id");
        if (nextSequence != partition.FirstSequence)
            MessagingLog.ProducerRenumbered(Logger, _options.ProducerId, partition.UnacknowledgedRecords, nextSequence, partition.Number);
        partition.Renumber(log, nextSequence);
    }

    /// <summary>Sends and reads answers until the stream ends or the producer has to be opened again.</summary>
    /// <returns>Why it ended.</returns>
    private async Task<string> RunStreamAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using var call = _connection.Queue.PublishStream(cancellationToken: ending.Token);
        var writing = WriteAsync(call.RequestStream, ending);
        try
        {
            while (await call.ResponseStream.MoveNext(ending.Token))
            {
                _link.Back();
                foreach (var answer in call.ResponseStream.Current.Answers)
                {
                    Answer(answer);
                    if (_mustOpen)
                        return "the log is new";
                }
            }
            return "the queue ended the stream";
        }
        finally
        {
            await ending.CancelAsync();
            await writing;
            lock (_gate)
            {
                _awaited.Clear();
                foreach (var partition in _partitions)
                    partition.StreamEnded();
            }
        }
    }

    private async Task WriteAsync(IClientStreamWriter<PublishRequests> requests, CancellationTokenSource ending)
    {
        try
        {
            var named = false;
            while (true)
            {
                var message = NextMessage();
                if (message.Publishes.Count == 0)
                {
                    await _work.WaitAsync(ending.Token);
                    continue;
                }
                if (!named)
                {
                    var first = message.Publishes[0];
                    (first.Topic, first.ProducerId, first.ProducerEpoch) = (_options.Topic, _options.ProducerId, _epoch);
                    named = true;
                }
                if (!await QueueStreams.TryWriteAsync(requests, message, ending.Token))
                    return;
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The stream is over.
        }
        catch
        {
            await ending.CancelAsync(); // or the reader would wait for ever
            throw;
        }
    }

    /// <summary>What is ready to be sent, as far as it fits.</summary>
    private PublishRequests NextMessage()
    {
        var message = new PublishRequests();
        lock (_gate)
        {
            var now = _options.Time.GetTimestamp();
            for (var bytes = 0; bytes < MessageBytes && NextPublish(now) is { } publish; bytes += publish.Batch.Length + publish.SourcePosition.Length + PublishBytes)
                message.Publishes.Add(publish);
        }
        return message;
    }

    private PublishRequest? NextPublish(long now)
    {
        long? wakeAt = null;
        for (var i = 0; i < _partitions.Count; i++)
        {
            var partition = _partitions[_nextPartition % _partitions.Count];
            _nextPartition = (_nextPartition + 1) % _partitions.Count; // in turn, so that one partition does not starve the others
            if (partition.TakeNext(now) is { } piece)
            {
                _awaited.Enqueue(piece);
                if (piece.WasSent)
                    MessagingMetrics.ProducerRetries.Add(1);
                piece.WasSent = true;
                return ToRequest(piece, (int)_options.FullWait.TotalMilliseconds);
            }
            if (partition is { HasWaiting: true, WaitsUntil: { } due } && !(wakeAt < due))
                wakeAt = due;
        }
        if (wakeAt is { } at)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(_options.Time.GetElapsedTime(now, at).TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        return null;
    }

    /// <summary>Without topic and producer: those are named once a stream.</summary>
    private static PublishRequest ToRequest(Piece piece, int waitMs) => new()
    {
        Partition = piece.Publish.Partition,
        BaseSequence = piece.Sequence,
        RecordCount = piece.RecordCount,
        Batch = UnsafeByteOperations.UnsafeWrap(piece.Batch), // promised not to change
        SourcePosition = piece.IsLast ? UnsafeByteOperations.UnsafeWrap(piece.Publish.SourcePosition) : ByteString.Empty,
        WaitMs = waitMs,
    };

    private void Answer(PublishResponse answer)
    {
        lock (_gate)
        {
            if (!_awaited.TryDequeue(out var piece))
                throw new RpcException(new Status(StatusCode.Internal, "the queue answered more publishes than it was sent"));
            var partition = _partitions[piece.Publish.Partition];
            if (answer.Error == ErrorCode.Ok)
            {
                _openedInVain = false;
                _backoff.Reset();
                partition.Acknowledge(piece);
                if (piece.Publish.Acknowledge(answer.BaseOffset, answer.Duplicate))
                {
                    piece.Publish.Complete();
                    Leave(piece.Publish);
                }
            }
            else
            {
                Refused(partition, piece, answer);
            }
            partition.Answered(_options.Time);
            Wake();
        }
    }

    private void Refused(PartitionOutbox partition, Piece piece, PublishResponse answer)
    {
        switch (answer.Error)
        {
            case ErrorCode.ProducerFenced:
                throw new QueueException(answer.Error, answer.Message);
            case ErrorCode.UnknownProducer or ErrorCode.UnknownTopic:
                _mustOpen = true;
                break;
            case var _ when partition.IsDraining:
                break; // sent behind a piece that was refused: a consequence of that, whatever it says
            case ErrorCode.OutOfOrderSequence when _openedInVain:
                throw new QueueException(answer.Error, answer.Message); // (F12) numbered as the log itself said, and still refused
            case ErrorCode.OutOfOrderSequence:
                _mustOpen = true; // the log has less than it acknowledged, or more than was sent: opening tells
                break;
            case ErrorCode.PartitionFull:
                MessagingMetrics.ProducerFullWaits.Add(1);
                partition.Refuse(answer.RetryAfterMs > 0 ? TimeSpan.FromMilliseconds(answer.RetryAfterMs) : null);
                break;
            case var code when QueueErrors.IsRetriable(code):
                partition.Refuse(answer.RetryAfterMs > 0 ? TimeSpan.FromMilliseconds(answer.RetryAfterMs) : null);
                break;
            case ErrorCode.BatchTooLarge:
                Split(partition, piece, answer.Message);
                break;
            default:
                Fail(partition, piece, new QueueException(answer.Error, answer.Message));
                break;
        }
    }

    private void Split(PartitionOutbox partition, Piece piece, string reason)
    {
        try
        {
            var (first, second) = BatchSplitter.Halve(piece, reason);
            piece.Publish.AddPieces(1);
            partition.Replace(piece, first, second);
        }
        catch (QueueException error)
        {
            Fail(partition, piece, error);
        }
    }

    private void Fail(PartitionOutbox partition, Piece piece, QueueException error)
    {
        MessagingLog.PublishRefused(Logger, _options.ProducerId, piece.Publish.RecordCount, partition.Number, error.Message);
        partition.Drop(piece);
        _firstFailure ??= error;
        piece.Publish.Fail(error);
        Leave(piece.Publish);
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_work.CurrentCount == 0)
                _work.Release();
        }
    }
}
