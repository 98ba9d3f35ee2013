using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

/// <summary>What was found when a log was opened.</summary>
/// <param name="Segments">Its segments.</param>
/// <param name="Scanned">Those that had to be read from front to back.</param>
/// <param name="Records">Records that can be read.</param>
/// <param name="TornBytes">Bytes of an append that was never acknowledged; they were cut off.</param>
/// <param name="DamagedRecords">Acknowledged records that cannot be read any more.</param>
/// <param name="InOrder">Whether it was closed in order.</param>
internal readonly record struct RecoveryReport(int Segments, int Scanned, long Records, long TornBytes, long DamagedRecords, bool InOrder);

/// <summary>A log as recovery left it.</summary>
internal sealed class RecoveredLog
{
    public List<Segment> Segments { get; } = [];

    public List<(int Epoch, long Start)> Epochs { get; } = [];

    public Dictionary<string, ProducerMark> Producers { get; } = new(StringComparer.Ordinal);

    public long Start { get; set; }

    public long End { get; set; }

    public long Group { get; set; }

    public long LastAppendUnixMs { get; set; }

    public long LastLogMs { get; set; }

    /// <summary>Acknowledged records that are gone, by offsets.</summary>
    public List<(long From, long To)> Damaged { get; } = [];

    public RecoveryReport Report { get; set; }
}

/// <summary>
/// Opens the segments of a partition. Of closed ones the index is believed; the last is read from front to back, because only
/// it can have been under way when the broker died, and because it tells all that is known of producers and epochs.
/// </summary>
internal sealed class LogRecovery(IDisk disk, string directory, StoredTopic topic, int partition, DurableSettings settings)
{
    private readonly RecoveredLog _log = new();
    private long _tornBytes;
    private int _scanned;

    /// <summary>Opens everything; torn tails are cut off.</summary>
    /// <param name="epoch">The epoch that begins now, never given before: whatever was lost, cut off or restored from a copy
    /// since somebody last read this log, no offset of before is taken for one of now.</param>
    /// <param name="isNew">Whether there was no log so far.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    /// <exception cref="StorageException">The files belong to another log.</exception>
    public RecoveredLog Recover(int epoch, bool isNew)
    {
        disk.MakeDirectory(directory);
        try
        {
            foreach (var offset in disk.Names(directory).Select(LogFiles.SegmentOffset).OfType<long>())
                Open(offset);
            DropUnfinishedSegment();
            var inOrder = ReadSegments();
            Finish();
            BeginEpoch(isNew ? 1 : epoch);
            _log.Report = new RecoveryReport(_log.Segments.Count, _scanned, _log.End - _log.Start, _tornBytes, _log.Damaged.Sum(damage => damage.To - damage.From), inOrder || isNew);
            return _log;
        }
        catch
        {
            foreach (var segment in _log.Segments)
                segment.Dispose();
            throw;
        }
    }

    private void Open(long baseOffset)
    {
        var path = Path.Combine(directory, LogFiles.Segment(baseOffset));
        var segment = new Segment(path, disk.Open(path, create: false), baseOffset);
        _log.Segments.Add(segment);
        var bytes = new byte[SegmentHeader.Bytes];
        // A damaged header says nothing; the frames behind it have their own checksums.
        if (segment.File.Read(0, bytes) < bytes.Length || !SegmentHeader.TryRead(bytes, out var header))
            return;
        if (header.TopicId != topic.Id || header.Partition != partition || header.BaseOffset != baseOffset)
            throw new StorageException($"{path} belongs to partition {header.Partition} of another topic: the files were mixed", fatal: true);
    }

    /// <summary>A last segment that does not begin with all that a segment begins with was being made; nothing was appended to it.</summary>
    private void DropUnfinishedSegment()
    {
        if (_log.Segments.Count == 0)
            return;
        var last = _log.Segments[^1];
        var isWhole = false;
        var scan = new SegmentScan(last.File, topic.ChecksumSeed, (in Frame frame, long _, int _) => !(isWhole = frame.Kind is FrameKind.Start or FrameKind.Batch));
        scan.Run(SegmentHeader.Bytes, last.BaseOffset);
        if (isWhole)
            return;
        last.Dispose();
        _log.Segments.Remove(last);
        disk.Delete(last.Path);
        _tornBytes += last.BaseOffset > 0 ? 0 : scan.TornBytes;
    }

    /// <returns>Whether the log was closed in order.</returns>
    private bool ReadSegments()
    {
        var inOrder = true;
        for (var i = 0; i < _log.Segments.Count; i++)
        {
            var segment = _log.Segments[i];
            if (i == _log.Segments.Count - 1)
            {
                var probe = new Segment(segment.Path, segment.File, segment.BaseOffset);
                inOrder = SegmentIndex.TryRead(disk, probe);
                Scan(segment, cut: true);
            }
            else if (!SegmentIndex.TryRead(disk, segment))
            {
                Scan(segment, cut: false);
                SegmentIndex.Write(disk, segment);
            }
            if (i > 0 && segment.BaseOffset > _log.Segments[i - 1].EndOffset)
                _log.Damaged.Add((_log.Segments[i - 1].EndOffset, segment.BaseOffset));
        }
        // What the last segment should have told of epochs was damaged: the earlier ones know.
        if (_log.Epochs.Count == 0)
        {
            foreach (var segment in _log.Segments.SkipLast(1))
                new SegmentScan(segment.File, topic.ChecksumSeed, (in Frame frame, long _, int _) => Learn(frame)).Run(SegmentHeader.Bytes, segment.BaseOffset);
        }
        return inOrder;
    }

    private void Scan(Segment segment, bool cut)
    {
        _scanned++;
        long end = SegmentHeader.Bytes;
        var afterDamage = false;
        var scan = new SegmentScan(segment.File, topic.ChecksumSeed, (in Frame frame, long position, int length) =>
        {
            afterDamage |= position != end;
            end = position + length;
            if (frame.Kind == FrameKind.Batch)
            {
                segment.Add(frame, position, settings.RunRecordsMax, afterDamage);
                afterDamage = false;
            }
            return !cut || Learn(frame);
        });
        scan.Run(SegmentHeader.Bytes, segment.BaseOffset);
        _log.Damaged.AddRange(scan.Damaged.Where(damage => damage.EndOffset > damage.Offset).Select(damage => (damage.Offset, damage.EndOffset)));
        if (cut && segment.File.Length > scan.EndPosition)
        {
            _tornBytes += scan.TornBytes;
            segment.File.Truncate(scan.EndPosition);
            segment.File.Sync();
        }
        segment.Publish(scan.EndPosition, scan.EndOffset);
    }

    private bool Learn(in Frame frame)
    {
        _log.Group = Math.Max(_log.Group, frame.Group);
        _log.LastLogMs = Math.Max(_log.LastLogMs, frame.LogTime);
        switch (frame.Kind)
        {
            case FrameKind.Epoch:
                var epoch = ((int)frame.Epoch, frame.Sequence);
                if (_log.Epochs.Count == 0 || _log.Epochs[^1].Epoch < epoch.Item1)
                    _log.Epochs.Add(epoch);
                break;
            case FrameKind.Start:
                _log.Start = Math.Max(_log.Start, frame.Sequence);
                break;
            default:
                if (frame.Kind == FrameKind.Batch)
                    _log.LastAppendUnixMs = frame.Time;
                if (string.IsNullOrEmpty(frame.ProducerId))
                    break;
                if (!_log.Producers.TryGetValue(frame.ProducerId, out var producer))
                    _log.Producers.Add(frame.ProducerId, producer = new ProducerMark(frame.ProducerId));
                producer.Apply(frame);
                break;
        }
        return true;
    }

    /// <summary>Begins an epoch where the log ends. Those are forgotten that ended where they began, or before what can still be read.</summary>
    private void BeginEpoch(int epoch)
    {
        var epochs = _log.Epochs;
        epochs.Add((epochs.Count > 0 ? Math.Max(epoch, epochs[^1].Epoch + 1) : epoch, _log.End));
        for (var i = epochs.Count - 2; i >= 0; i--)
        {
            if (epochs[i + 1].Start <= Math.Max(epochs[i].Start, _log.Start))
                epochs.RemoveAt(i);
        }
    }

    private void Finish()
    {
        if (_log.Segments.Count == 0)
            return;
        _log.End = _log.Segments[^1].EndOffset;
        _log.Start = Math.Clamp(_log.Start, Math.Min(_log.Segments[0].BaseOffset, _log.End), _log.End);
    }
}
