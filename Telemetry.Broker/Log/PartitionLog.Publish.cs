using Telemetry.Broker.Producers;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

// Publishing: checks, group commit, and waiting for room.
internal sealed partial class PartitionLog
{
    private readonly LinkedList<WaitingPublish> _waiting = [];
    private AppendGroup _collecting = new(); // goes to the storage when the one under way is done
    private AppendGroup _spare = new();
    private AppendGroup? _flushing;
    private Task _flush = Task.CompletedTask;
    private long _nextOffset;

    /// <summary>
    /// Appends a batch, or says why not. While the partition is full it waits in line for room. Batches are appended in the
    /// order of the calls; the ticket says how it ends.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="wait">How long to wait for room; zero: not at all.</param>
    /// <param name="cancellationToken">Gives up waiting for room. A batch that is appended already stays.</param>
    public PublishTicket Publish(in PublishBatch batch, TimeSpan wait, CancellationToken cancellationToken)
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
                if (TryAppend(batch, out var ticket))
                    return ticket;
            }
            if (wait <= TimeSpan.Zero || _waiting.Count >= _settings.Limits.WaitingMax)
                return new(Full(batch));
            var waiting = new WaitingPublish(batch, _clock.LogMs + (long)wait.TotalMilliseconds);
            waiting.Node = _waiting.AddLast(waiting);
            if (cancellationToken.CanBeCanceled)
                waiting.Cancellation = cancellationToken.UnsafeRegister(_ => GiveUp(waiting), null);
            return new(waiting.Ticket.Task);
        }
    }

    /// <summary>Answers the batch at once or appends it; false when there is no room.</summary>
    private bool TryAppend(in PublishBatch batch, out PublishTicket ticket)
    {
        ticket = default;
        if (_failed is not null)
        {
            ticket = new(Rejected(_failed));
            return true;
        }
        var check = CheckProducer(batch, out var producer);
        if (check != SequenceCheck.Next)
        {
            ticket = Refuse(check, batch, producer);
            return true;
        }
        if (IsDiskBehind(batch.Bytes) || !TryMakeRoom(batch.RecordCount, batch.Bytes))
            return false;
        ticket = Append(batch, producer);
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

    private PublishTicket Refuse(SequenceCheck check, in PublishBatch batch, ProducerState? producer)
    {
        switch (check)
        {
            case SequenceCheck.Duplicate:
                _metrics.Duplicate(Topic);
                producer!.UsedLogMs = _clock.LogMs;
                var known = PublishOutcome.Known(producer.OffsetOf(batch.BaseSequence, batch.RecordCount));
                // The first copy may still be on its way to the disk: the answer waits with it.
                return _flushing is null ? new(known) : new(known, _collecting.Durable);
            case SequenceCheck.Fenced:
                _metrics.Fenced("producer");
                return new(Rejected(ErrorCode.ProducerFenced, $"producer '{batch.ProducerId}' was opened again with epoch {producer!.Epoch}; this batch has epoch {batch.ProducerEpoch}"));
            case SequenceCheck.OutOfOrder:
                return new(Rejected(ErrorCode.OutOfOrderSequence, $"producer '{batch.ProducerId}' sent sequence {batch.BaseSequence} with {batch.RecordCount} records; the log has {producer!.NextSequence} and expects exactly that sequence next"));
            default:
                return new(Rejected(ErrorCode.UnknownProducer, $"producer '{batch.ProducerId}' with epoch {batch.ProducerEpoch} is not known in this log: open it"));
        }
    }

    private PublishTicket Append(in PublishBatch batch, ProducerState? producer)
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
        _collecting.Add(stored, undo);
        if (_flushing is not null)
        {
            _settings.UnderWay.Add(stored.Bytes);
            return new(outcome, _collecting.Durable);
        }

        // Nothing under way: hand it over by itself. A storage in memory is done when the call returns, and nothing was allocated to wait.
        var group = _collecting;
        var durable = Store(group);
        if (durable.IsCompletedSuccessfully)
        {
            Stored(stored.RecordCount);
            group.Clear();
            return new(outcome);
        }
        (_flushing, _collecting) = (group, _spare);
        _settings.UnderWay.Add(stored.Bytes);
        var ticket = new PublishTicket(outcome, group.Durable);
        _flush = FlushAsync(durable);
        return ticket;
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
                var group = _flushing!;
                _settings.UnderWay.Add(-group.Bytes);
                if (failure is not null)
                    TakeBack(group, failure);
                else
                    Complete(group);
                group.Clear();
                AdmitWaiting();
                _flushing = null;
                if (_collecting.IsEmpty)
                {
                    _spare = group;
                    return;
                }
                (_flushing, _collecting) = (_collecting, group);
                durable = _flushing.Batches.Count == 0 ? ValueTask.CompletedTask : Store(_flushing);
            }
        }
    }

    private ValueTask Store(AppendGroup group)
    {
        try
        {
            return _storage.AppendAsync(group.Batches);
        }
        catch (Exception error)
        {
            // Thrown before anything was awaited: FlushAsync tells the publishers, as for a failure later on.
            return ValueTask.FromException(error);
        }
    }

    private void Complete(AppendGroup group)
    {
        Stored(group.Records);
        group.End(null);
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
    private void TakeBack(AppendGroup group, StorageException failure)
    {
        Fail(failure);
        var refusal = failure.ToRefusal();
        _settings.UnderWay.Add(-_collecting.Bytes);
        // The newest first.
        foreach (var refused in (ReadOnlySpan<AppendGroup>)[_collecting, group])
        {
            refused.Undo();
            for (var i = 0; i < refused.Batches.Count; i++)
                _metrics.Rejected(refusal.Code);
        }
        _nextOffset = _storage.EndOffset;
        if (_failed is null)
            DropRead();
        group.End(refusal);
        _collecting.End(refusal);
        _collecting.Clear();
        if (_failed is not null)
            RefuseWaiting(_failed);
    }

    private void Fail(StorageException failure)
    {
        if (failure.Fatal)
            _failed = failure.ToRefusal();
        _settings.StorageFailed?.Invoke(this, failure);
    }

    /// <summary>Ends when all that was appended before is durable or taken back.</summary>
    private Task AppendedSoFar()
    {
        lock (_sync)
            return _flushing is null ? Task.CompletedTask : _collecting.Durable;
    }

    private PublishOutcome Rejected(ErrorCode code, string message)
    {
        _metrics.Rejected(code);
        return PublishOutcome.Refused(code, message);
    }

    private PublishOutcome Rejected(BrokerException refusal) => Rejected(refusal.Code, refusal.Message);

    /// <summary>Batches that go to the storage together, and who waits for that. Guarded by the partition's lock.</summary>
    private sealed class AppendGroup
    {
        private readonly List<ProducerState.Undo> _undo = [];
        private TaskCompletionSource<BrokerException?>? _durable;

        public List<StoredBatch> Batches { get; } = [];

        public int Records { get; private set; }

        public long Bytes { get; private set; }

        /// <summary>Neither a batch nor somebody who waits for those before.</summary>
        public bool IsEmpty => Batches.Count == 0 && _durable is null;

        /// <summary>Ends when all of it is durable, with null, or when none of it is in the log, with why.</summary>
        public Task<BrokerException?> Durable =>
            (_durable ??= new TaskCompletionSource<BrokerException?>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public void Add(StoredBatch batch, in ProducerState.Undo undo)
        {
            Batches.Add(batch);
            _undo.Add(undo);
            Records += batch.RecordCount;
            Bytes += batch.Bytes;
        }

        public void Undo()
        {
            for (var i = _undo.Count - 1; i >= 0; i--)
                _undo[i].Apply();
        }

        public void End(BrokerException? refusal) => _durable?.SetResult(refusal);

        public void Clear()
        {
            Batches.Clear();
            _undo.Clear();
            (Records, Bytes, _durable) = (0, 0, null);
        }
    }
}
