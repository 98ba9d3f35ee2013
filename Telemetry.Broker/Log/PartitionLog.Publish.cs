using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

// Publishing: checks, group commit, and waiting for room.
internal sealed partial class PartitionLog
{
    private readonly LinkedList<WaitingPublish> _waiting = [];
    private List<PendingAppend> _collecting = [];
    private List<PendingAppend> _spare = [];
    private List<PendingAppend>? _flushing;
    private List<StoredBatch> _batches = [];
    private Task _flush = Task.CompletedTask;
    private long _flushingBytes;
    private long _collectingBytes;
    private long _nextOffset;

    /// <summary>
    /// Appends a batch, or says why not. While the partition is full it waits in line for room. Completes when the batch is
    /// durable; batches are appended in the order of the calls.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="wait">How long to wait for room; zero: not at all.</param>
    /// <param name="cancellationToken">Gives up waiting for room. A batch that is appended already stays.</param>
    public ValueTask<PublishOutcome> PublishAsync(in PublishBatch batch, TimeSpan wait, CancellationToken cancellationToken)
    {
        lock (_sync)
        {
            if (batch.RecordCount > _settings.BatchRecordsMax)
                return new(Rejected(ErrorCode.BatchTooLarge, $"the batch has {batch.RecordCount} records; a batch in this partition may have {_settings.BatchRecordsMax}: split it"));
            if (_closed is { } closed)
                return new(Rejected(closed));
            // Behind others who wait, only what is certain already is answered: its predecessor may be one of them.
            if (_waiting.Count == 0 || CheckProducer(batch, out _) is SequenceCheck.Duplicate or SequenceCheck.Fenced)
            {
                if (TryAppend(batch, out var outcome))
                    return outcome;
            }
            if (wait <= TimeSpan.Zero || _waiting.Count >= _settings.Limits.WaitingMax)
                return new(Full(batch));
            var waiting = new WaitingPublish(batch, _clock.LogMs + (long)wait.TotalMilliseconds);
            waiting.Node = _waiting.AddLast(waiting);
            if (cancellationToken.CanBeCanceled)
                waiting.Cancellation = cancellationToken.UnsafeRegister(_ => GiveUp(waiting), null);
            return new(waiting.Outcome.Task);
        }
    }

    /// <summary>Answers the batch at once or appends it; false when there is no room.</summary>
    private bool TryAppend(in PublishBatch batch, out ValueTask<PublishOutcome> outcome)
    {
        outcome = default;
        if (_failed is not null)
        {
            outcome = new(Rejected(_failed));
            return true;
        }
        var check = CheckProducer(batch, out var producer);
        if (check != SequenceCheck.Next)
        {
            outcome = Refuse(check, batch, producer);
            return true;
        }
        if (IsDiskBehind(batch.Bytes) || !TryMakeRoom(batch.RecordCount, batch.Bytes))
            return false;
        outcome = Append(batch, producer);
        return true;
    }

    private SequenceCheck CheckProducer(in PublishBatch batch, out ProducerState? producer)
    {
        producer = null;
        if (batch.ProducerId.Length == 0)
            return SequenceCheck.Next;
        producer = _producers.Find(batch.ProducerId);
        return producer?.Check(batch.ProducerEpoch, batch.BaseSequence, batch.RecordCount) ?? SequenceCheck.Unknown;
    }

    private ValueTask<PublishOutcome> Refuse(SequenceCheck check, in PublishBatch batch, ProducerState? producer)
    {
        switch (check)
        {
            case SequenceCheck.Duplicate:
                _metrics.Duplicate(Topic);
                producer!.UsedLogMs = _clock.LogMs;
                var known = PublishOutcome.Known(producer.OffsetOf(batch.BaseSequence, batch.RecordCount));
                // The first copy may still be on its way to the disk: the answer waits with it.
                return _flushing is null ? new(known) : Collect(new PendingAppend(null, default, known, NewCompletion()));
            case SequenceCheck.Fenced:
                _metrics.Fenced("producer");
                return new(Rejected(ErrorCode.ProducerFenced, $"producer '{batch.ProducerId}' was opened again with epoch {producer!.Epoch}; this batch has epoch {batch.ProducerEpoch}"));
            case SequenceCheck.OutOfOrder:
                return new(Rejected(ErrorCode.OutOfOrderSequence, $"producer '{batch.ProducerId}' sent sequence {batch.BaseSequence} with {batch.RecordCount} records; the log has {producer!.NextSequence} and expects exactly that sequence next"));
            default:
                return new(Rejected(ErrorCode.UnknownProducer, $"producer '{batch.ProducerId}' with epoch {batch.ProducerEpoch} is not known in this log: open it"));
        }
    }

    private ValueTask<PublishOutcome> Append(in PublishBatch batch, ProducerState? producer)
    {
        _lastLogMs = Math.Max(_lastLogMs, _clock.LogMs);
        var stored = new StoredBatch
        {
            BaseOffset = _nextOffset,
            RecordCount = batch.RecordCount,
            AppendTimeUnixMs = _clock.UnixMs,
            AppendLogMs = _lastLogMs,
            Payload = batch.Payload,
            ProducerId = batch.ProducerId,
            ProducerEpoch = batch.ProducerEpoch,
            BaseSequence = batch.BaseSequence,
            SourcePosition = batch.SourcePosition,
        };
        _nextOffset = stored.EndOffset;
        ProducerState.Undo undo = default;
        if (producer is not null)
        {
            producer.UsedLogMs = _lastLogMs;
            undo = producer.Advance(batch.BaseSequence, batch.RecordCount, stored.BaseOffset, batch.SourcePosition);
        }
        var outcome = PublishOutcome.Appended(stored.BaseOffset);
        if (_flushing is not null)
        {
            _collectingBytes += stored.Bytes;
            _settings.UnderWay.Add(stored.Bytes);
            return Collect(new PendingAppend(stored, undo, outcome, NewCompletion()));
        }

        // Nothing under way: hand it over by itself. A storage in memory is done when the call returns, and nothing was allocated to wait.
        _batches.Clear();
        _batches.Add(stored);
        var durable = Store();
        if (durable.IsCompletedSuccessfully)
        {
            Stored(stored.RecordCount);
            return new(outcome);
        }
        var pending = new PendingAppend(stored, undo, outcome, NewCompletion());
        _flushing = TakeCollecting();
        _flushing.Add(pending);
        _flushingBytes = stored.Bytes;
        _settings.UnderWay.Add(stored.Bytes);
        _flush = FlushAsync(durable);
        return new(pending.Completion!.Task);
    }

    private ValueTask<PublishOutcome> Collect(PendingAppend pending)
    {
        _collecting.Add(pending);
        return new(pending.Completion!.Task);
    }

    /// <summary>Finishes the group under way, then stores what came meanwhile as the next group, until nothing came.</summary>
    private async Task FlushAsync(ValueTask durable)
    {
        while (true)
        {
            StorageException? failure = null;
            try
            {
                await durable;
            }
            catch (Exception error)
            {
                // A storage that fails in a way it does not know must not be trusted with another write.
                failure = error as StorageException ?? new StorageException("the storage failed unexpectedly", fatal: true, error);
            }
            lock (_sync)
            {
                _settings.UnderWay.Add(-_flushingBytes);
                _flushingBytes = 0;
                if (failure is not null)
                    TakeBack(failure);
                else
                    Complete(_flushing!);
                AdmitWaiting();
                _flushing!.Clear();
                _spare = _flushing;
                _flushing = null;
                if (_collecting.Count == 0)
                    return;
                _flushing = TakeCollecting();
                (_flushingBytes, _collectingBytes) = (_collectingBytes, 0);
                _batches = [.. _flushing.Where(pending => pending.Batch is not null).Select(pending => pending.Batch!)];
                durable = _batches.Count == 0 ? ValueTask.CompletedTask : Store();
            }
        }
    }

    private ValueTask Store()
    {
        try
        {
            return _storage.AppendAsync(_batches);
        }
        catch (Exception error)
        {
            // Thrown before anything was awaited: FlushAsync tells the publishers, as for a failure later on.
            return ValueTask.FromException(error);
        }
    }

    private void Complete(List<PendingAppend> group)
    {
        Stored(group.Sum(pending => pending.Batch?.RecordCount ?? 0));
        foreach (var pending in group)
            pending.Completion!.SetResult(pending.Outcome);
    }

    private void Stored(int records)
    {
        _rate.Add(_lastLogMs, records);
        _metrics.Published(Topic, records);
        _changed.Pulse();
    }

    /// <summary>
    /// The group is not in the log, so what came after it cannot be either: sequences and offsets go back to what is durable
    /// and all of it is refused.
    /// </summary>
    private void TakeBack(StorageException failure)
    {
        Fail(failure);
        List<PendingAppend> refused = [.. _flushing!, .. _collecting];
        _collecting.Clear();
        _settings.UnderWay.Add(-_collectingBytes);
        _collectingBytes = 0;
        for (var i = refused.Count - 1; i >= 0; i--)
            refused[i].Undo.Apply();
        _nextOffset = _storage.EndOffset;
        if (_failed is null)
            DropRead();
        foreach (var pending in refused)
            pending.Completion!.SetResult(Rejected(failure.ToRefusal()));
        if (_failed is not null)
            RefuseWaiting(_failed);
    }

    private void Fail(StorageException failure)
    {
        if (failure.Fatal)
            _failed = failure.ToRefusal();
        _settings.StorageFailed?.Invoke(this, failure);
    }

    private ValueTask<PublishOutcome> AppendedSoFar()
    {
        lock (_sync)
            return _flushing is null ? default : Collect(new PendingAppend(null, default, default, NewCompletion()));
    }

    private List<PendingAppend> TakeCollecting()
    {
        var taken = _collecting;
        _collecting = _spare;
        _spare = [];
        return taken;
    }

    private PublishOutcome Rejected(ErrorCode code, string message)
    {
        _metrics.Rejected(code);
        return PublishOutcome.Refused(code, message);
    }

    private PublishOutcome Rejected(BrokerException refusal) => Rejected(refusal.Code, refusal.Message);

    private static TaskCompletionSource<PublishOutcome> NewCompletion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly record struct PendingAppend(
        StoredBatch? Batch, ProducerState.Undo Undo, PublishOutcome Outcome, TaskCompletionSource<PublishOutcome>? Completion);
}
