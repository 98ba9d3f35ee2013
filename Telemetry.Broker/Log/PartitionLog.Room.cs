using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

// Room: what is dropped for it, who waits for it, and what makes it (commits, expiry, groups that go).
internal sealed partial class PartitionLog
{
    /// <summary>Publishes that wait for room.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_sync)
                return _waiting.Count;
        }
    }

    /// <summary>Counts a group among those whose unread records are kept.</summary>
    public void AddGroup(GroupProgress progress)
    {
        lock (_sync)
            _groups.Add(progress);
    }

    /// <summary>Forgets a group.</summary>
    public void RemoveGroup(GroupProgress progress)
    {
        lock (_sync)
        {
            _groups.Remove(progress);
            AdmitWaiting();
        }
    }

    /// <summary>Notes how far a group has read; publishers that wait may get room.</summary>
    /// <returns>False when the offset is not in the log: nothing is changed.</returns>
    public bool Commit(GroupProgress progress, long offset)
    {
        lock (_sync)
        {
            if (offset > HighWatermark)
                return false;
            progress.Committed = offset;
            progress.CommittedUnixMs = _clock.UnixMs;
            AdmitWaiting();
            return true;
        }
    }

    /// <summary>How far behind a group is.</summary>
    public Lag LagOf(GroupProgress progress)
    {
        var next = Math.Max(progress.Committed, StartOffset);
        var records = Math.Max(0, HighWatermark - next);
        return records > 0 && _storage.AppendLogMs(next) is { } appended
            ? new Lag(records, Math.Max(0, _clock.LogMs - appended) / 1000.0)
            : new Lag(records, 0);
    }

    /// <summary>Lets time pass: drops what is older than the TTL, and ends waits that took too long.</summary>
    public void Tick()
    {
        lock (_sync)
        {
            Expire();
            AdmitWaiting();
            var now = _clock.LogMs;
            for (var node = _waiting.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.DeadlineLogMs <= now)
                    End(node.Value, new(Full(node.Value.Batch)));
                node = next;
            }
        }
    }

    private void Expire()
    {
        if (Records == 0)
            return;
        var start = StartOffset;
        var keep = _storage.OffsetForLogTime(_clock.LogMs - (long)_settings.MessageTtl.TotalMilliseconds);
        if (keep <= start)
            return;
        long unread = 0;
        foreach (var group in _groups)
        {
            var missed = Math.Max(0, keep - Math.Max(start, group.Committed));
            group.GapRecords += missed;
            unread = Math.Max(unread, missed);
        }
        _storage.DropBefore(keep);
        if (unread > 0)
        {
            Volatile.Write(ref _expiredUnread, _expiredUnread + unread);
            _metrics.ExpiredUnread(Topic, unread);
        }
        _changed.Pulse();
    }

    /// <summary>
    /// Whether so much is on its way to the disk, in all partitions, that more has to wait. A partition that has nothing
    /// under way may always begin.
    /// </summary>
    private bool IsDiskBehind(long bytes) => (_flushing?.Bytes > 0 || _collecting.Bytes > 0) && !_settings.UnderWay.HasRoom(bytes);

    /// <summary>Drops, batch by batch, what every group has read, as far as it is needed.</summary>
    private bool TryMakeRoom(int records, long bytes)
    {
        while (_nextOffset - StartOffset + records > _settings.RecordsMax || _storage.Bytes + bytes > _settings.BytesMax || !_storage.HasRoom(bytes))
        {
            var end = _storage.FirstBatchEnd;
            if (end > ReadByAll() || end > HighWatermark || Records == 0)
                return false;
            _storage.DropBefore(end);
        }
        return true;
    }

    /// <summary>Drops all that every group has read: the disk has no room.</summary>
    private void DropRead()
    {
        _storage.DropBefore(Math.Min(ReadByAll(), HighWatermark));
        _changed.Pulse();
    }

    /// <summary>The offset up to which every group has read; without groups nobody has read anything.</summary>
    private long ReadByAll()
    {
        if (_groups.Count == 0)
            return StartOffset;
        var least = long.MaxValue;
        foreach (var group in _groups)
            least = Math.Min(least, group.Committed);
        return least;
    }

    /// <summary>Appends what waits, in line, as far as there is room.</summary>
    private void AdmitWaiting()
    {
        while (_waiting.First is { } node && TryAppend(node.Value.Batch, out var ticket))
            End(node.Value, ticket);
    }

    private void RefuseWaiting(BrokerException reason)
    {
        while (_waiting.First is { } node)
            End(node.Value, new(Rejected(reason)));
    }

    private void End(WaitingPublish waiting, PublishTicket ticket)
    {
        _waiting.Remove(waiting.Node!);
        waiting.Cancellation.Unregister();
        waiting.Ticket.SetResult(ticket);
    }

    private void GiveUp(WaitingPublish waiting)
    {
        lock (_sync)
        {
            if (waiting.Node?.List is null)
                return;
            _waiting.Remove(waiting.Node);
            waiting.Ticket.SetCanceled(CancellationToken.None);
            // Those behind it may be smaller.
            AdmitWaiting();
        }
    }

    private PublishOutcome Full(in PublishBatch batch)
    {
        if (IsDiskBehind(batch.Bytes))
            return Rejected(ErrorCode.PartitionFull, $"partition {Partition} of topic '{Topic}' waits for the disk, which has {_settings.UnderWay.Used} bytes to take; retry later");
        var records = _nextOffset - StartOffset;
        var reason = _storage.HasRoom(StoredBatch.OverheadBytes)
            ? $"it holds {records} records of at most {_settings.RecordsMax} in {_storage.Bytes} bytes of at most {_settings.BytesMax}"
            : "the broker has no room for more bytes in memory";
        return Rejected(ErrorCode.PartitionFull, $"partition {Partition} of topic '{Topic}' is full of records that a group has not read ({reason}); retry later");
    }

    private sealed class WaitingPublish(PublishBatch batch, long deadlineLogMs)
    {
        public PublishBatch Batch { get; } = batch;

        public long DeadlineLogMs { get; } = deadlineLogMs;

        public TaskCompletionSource<PublishTicket> Ticket { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<WaitingPublish>? Node { get; set; }

        public CancellationTokenRegistration Cancellation { get; set; }
    }
}
