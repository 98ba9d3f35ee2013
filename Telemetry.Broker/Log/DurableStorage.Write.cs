using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

// Writing, all of it by the committer, one call at a time: write what is queued, sync it, let readers and publishers know.
internal sealed partial class DurableStorage
{
    private readonly Lock _changing = new(); // what the committer and a drop both change: queues, the array of segments, what is kept in memory
    private readonly Frame.Writer _writer;
    private readonly Dictionary<string, ProducerMark> _producers;
    private readonly List<(Frame Frame, long Position)> _placed = [];
    private readonly IReadOnlyList<(int Epoch, long Start)> _epochs;
    private List<Operation> _queue = [];
    private List<Operation> _written = [];
    private List<string> _toDelete = [];
    private StorageException? _failed;
    private long _group;
    private long _lastLogMs;
    private long _writtenStart = -1;
    private long _writtenLength;
    private bool _groupIsOpen;
    private bool _epochIsWritten;
    private (long Group, bool IsOpen) _undo;

    public ValueTask AppendAsync(IReadOnlyList<StoredBatch> group) => Queue(new Operation(group, null, 0));

    public ValueTask OpenProducerAsync(string producerId, int epoch) => Queue(new Operation([], producerId, epoch));

    public void DropBefore(long offset)
    {
        var start = Math.Min(offset, EndOffset);
        // Runs are dropped whole: what is kept of one is kept to its beginning.
        if (start < EndOffset && Find(start) is var (segments, s, r))
            start = Math.Min(start, Math.Max(segments[s].Runs[r].BaseOffset, StartOffset));
        if (start <= StartOffset)
            return;
        Volatile.Write(ref _start, start);
        lock (_changing)
        {
            _recent.DropBefore(start);
            var kept = _segments;
            var first = 0;
            while (first < kept.Length - 1 && kept[first + 1].BaseOffset <= start)
            {
                kept[first].Dispose();
                _toDelete.Add(kept[first].Path);
                first++;
            }
            if (first > 0)
                _segments = kept[first..];
            CountBytes();
            if (first == 0)
                return;
        }
        _committer.Enqueue(this);
    }

    /// <summary>Writes all that is queued. Called by the committer.</summary>
    /// <returns>How much was written.</returns>
    public (long Records, long Bytes) WriteQueued()
    {
        List<string> toDelete;
        lock (_changing)
        {
            (_queue, _written) = (_written, _queue);
            toDelete = _toDelete;
            _toDelete = [];
        }
        try
        {
            foreach (var path in toDelete)
            {
                _disk.Delete(LogFiles.Index(path));
                _disk.Delete(path);
            }
            if (_written.Count > 0 && _failed is null)
                return Write();
        }
        catch (DiskFullException error)
        {
            Fail(error, fatal: !TryCutBack());
        }
        catch (Exception error)
        {
            // However it failed, nothing is known of the file any more.
            Fail(error, fatal: true);
        }
        return (0, 0);
    }

    /// <summary>Syncs what was written. Called by the committer.</summary>
    /// <returns>Whether there was anything to sync.</returns>
    public bool SyncWritten()
    {
        if (!_groupIsOpen || _failed is not null)
            return false;
        try
        {
            _segments[^1].File.Sync();
            _groupIsOpen = false;
            return true;
        }
        catch (Exception error)
        {
            // A sync that failed may have thrown the data away; trying again would only say that there is nothing to do.
            Fail(error, fatal: true);
            return false;
        }
    }

    /// <summary>Lets readers see what was written and tells those who wait. Called by the committer.</summary>
    public void CompleteWritten()
    {
        if (_written.Count == 0)
            return;
        if (_failed is { } failed)
        {
            foreach (var operation in _written)
                operation.Completion.TrySetException(failed);
            _written.Clear();
            if (!failed.Fatal)
                _failed = null;
            return;
        }
        var segment = _segments[^1];
        foreach (var (frame, position) in _placed)
            Place(segment, frame, position);
        segment.Publish(_writtenLength, Math.Max(segment.EndOffset, _placed.Count > 0 ? _placed[^1].Frame.EndOffset : 0));
        _placed.Clear();
        lock (_changing)
        {
            foreach (var operation in _written.Where(operation => operation.Batches.Count > 0))
            {
                _recent.Append(operation.Batches);
                Volatile.Write(ref _lastAppendUnixMs, operation.Batches[^1].AppendTimeUnixMs);
            }
            while (_recent.Bytes > _settings.RecentBytesMax && _recent.FirstBatchEnd < _recent.EndOffset)
                _recent.DropBefore(_recent.FirstBatchEnd);
            Volatile.Write(ref _end, segment.EndOffset);
            CountBytes();
        }
        foreach (var operation in _written)
            operation.Completion.TrySetResult();
        _written.Clear();
    }

    /// <summary>Syncs and closes the files; nothing is appended any more.</summary>
    public ValueTask DisposeAsync()
    {
        _committer.Forget(this);
        var segments = _segments;
        try
        {
            if (_failed is null && segments.Length > 0)
            {
                WriteStart();
                segments[^1].File.Sync();
                // Says that the log was closed in order.
                SegmentIndex.Write(_disk, segments[^1]);
                _disk.SyncDirectory(_directory);
            }
        }
        catch (IOException error)
        {
            return ValueTask.FromException(new StorageException("the log could not be closed in order; it is recovered at the next start", fatal: true, error));
        }
        finally
        {
            foreach (var segment in segments)
                segment.Dispose();
        }
        return _recent.DisposeAsync();
    }

    /// <summary>Makes the log ready for this run of the broker.</summary>
    private void BeginRun()
    {
        if (_segments.Length == 0)
        {
            _segments = [MakeSegment(EndOffset)];
            return;
        }
        _disk.Delete(LogFiles.Index(_segments[^1].Path));
        // What a killed process left unsynced is about to be shown to readers and producers: from now on it may not go.
        _segments[^1].File.Sync();
        _disk.SyncDirectory(_directory);
    }

    private (long Records, long Bytes) Write()
    {
        if (_segments[^1].Length >= _settings.SegmentBytesMax)
            Roll();
        _writer.Clear();
        _placed.Clear();
        _undo = (_group, _groupIsOpen);
        var segment = _segments[^1];
        // The epoch of this run stands before its first frame; it needs no place in the log until then.
        if (!_epochIsWritten)
            AddFrame(EpochFrame(_epochs[^1]));
        if (_writtenStart != StartOffset)
            AddFrame(StartFrame());
        var end = EndOffset;
        foreach (var operation in _written)
        {
            if (operation.ProducerId is { } producerId)
            {
                var mark = Producer(producerId);
                AddFrame(mark.ToFrame(end) with { Epoch = Math.Max(mark.Epoch, operation.Epoch), LogTime = Math.Max(mark.UsedLogMs, _lastLogMs) });
            }
            foreach (var batch in operation.Batches)
            {
                AddFrame(Frame.Of(batch));
                end = batch.EndOffset;
            }
        }
        segment.File.Write(segment.Length, _writer.Parts);
        _writtenLength = segment.Length + _writer.Bytes;
        _writer.Clear();
        _writtenStart = StartOffset;
        _epochIsWritten = true;
        return (end - EndOffset, _writtenLength - segment.Length);
    }

    private void AddFrame(in Frame frame)
    {
        if (!_groupIsOpen)
            _group++;
        var grouped = frame with { Group = _group, BeginsGroup = !_groupIsOpen };
        _groupIsOpen = true;
        _placed.Add((grouped, _segments.Length > 0 ? _segments[^1].Length + _writer.Bytes : SegmentHeader.Bytes + _writer.Bytes));
        _writer.Add(grouped);
    }

    private void Place(Segment segment, in Frame frame, long position)
    {
        if (frame.Kind == FrameKind.Batch)
        {
            segment.Add(frame, position, _settings.RunRecordsMax);
            Volatile.Write(ref _lastLogMs, Math.Max(_lastLogMs, frame.LogTime));
        }
        if (frame.Kind is FrameKind.Batch or FrameKind.Producer && !string.IsNullOrEmpty(frame.ProducerId))
            Producer(frame.ProducerId).Apply(frame);
    }

    /// <summary>Ends the last segment and begins another, which begins with all that has to be known to go on.</summary>
    private void Roll()
    {
        var full = _segments[^1];
        if (_groupIsOpen)
        {
            full.File.Sync();
            _groupIsOpen = false;
        }
        SegmentIndex.Write(_disk, full);
        var segment = MakeSegment(EndOffset);
        lock (_changing)
            _segments = [.. _segments, segment];
    }

    private Segment MakeSegment(long baseOffset)
    {
        var path = Path.Combine(_directory, LogFiles.Segment(baseOffset));
        // Left by a roll that failed; nothing of it was acknowledged.
        _disk.Delete(path);
        var segment = new Segment(path, _disk.Open(path, create: true), baseOffset);
        try
        {
            _writer.Clear();
            var group = _group + 1;
            var first = true;
            foreach (var epoch in _epochs)
                Add(EpochFrame(epoch));
            foreach (var producer in _producers.Values.OrderByDescending(producer => producer.UsedLogMs).Take(_settings.ProducersMax))
                Add(producer.ToFrame(baseOffset));
            // Last: it says that what stands before it is all there.
            Add(StartFrame());
            segment.File.Write(0, [new SegmentHeader(Log.TopicId, _partition, baseOffset).ToBytes(), .. _writer.Parts]);
            segment.File.Sync();
            // Without this a power cut may take the file away although it was synced.
            _disk.SyncDirectory(_directory);
            segment.Publish(SegmentHeader.Bytes + _writer.Bytes, baseOffset);
            _group = group;
            _writtenStart = StartOffset;
            _epochIsWritten = true;
            return segment;

            void Add(in Frame frame)
            {
                _writer.Add(frame with { Group = group, BeginsGroup = first, Offset = baseOffset });
                first = false;
            }
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    private void WriteStart()
    {
        if (_writtenStart == StartOffset)
            return;
        _writer.Clear();
        var segment = _segments[^1];
        AddFrame(StartFrame());
        segment.File.Write(segment.Length, _writer.Parts);
        segment.Publish(segment.Length + _writer.Bytes, segment.EndOffset);
        _placed.Clear();
        _writtenStart = StartOffset;
    }

    private Frame StartFrame() => new() { Kind = FrameKind.Start, Offset = EndOffset, Sequence = StartOffset, ProducerId = "" };

    private Frame EpochFrame((int Epoch, long Start) epoch) =>
        new() { Kind = FrameKind.Epoch, Offset = EndOffset, Sequence = epoch.Start, Epoch = epoch.Epoch, ProducerId = "" };

    private ProducerMark Producer(string producerId)
    {
        if (!_producers.TryGetValue(producerId, out var mark))
            _producers[producerId] = mark = new ProducerMark(producerId);
        return mark;
    }

    /// <summary>Takes back what a write that failed has left; what was appended before stays.</summary>
    private bool TryCutBack()
    {
        try
        {
            _segments[^1].File.Truncate(_segments[^1].Length);
            return true;
        }
        catch (IOException)
        {
            // The caller closes the partition to writes, which tells everybody who publishes.
            return false;
        }
    }

    private void Fail(Exception error, bool fatal)
    {
        _placed.Clear();
        _failed = new StorageException(error is DiskFullException ? "the disk is full" : "the log could not be written", fatal, error);
        if (!fatal)
            (_group, _groupIsOpen) = _undo;
    }

    private ValueTask Queue(Operation operation)
    {
        lock (_changing)
            _queue.Add(operation);
        _committer.Enqueue(this);
        return new(operation.Completion.Task);
    }

    private sealed record Operation(IReadOnlyList<StoredBatch> Batches, string? ProducerId, int Epoch)
    {
        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
