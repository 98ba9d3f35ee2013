using Telemetry.Broker.Disk;
using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;

namespace Telemetry.Broker.Log;

/// <summary>
/// A partition's log on disk: segment files, of which the last is written. Appends are queued and done by the
/// <see cref="LogCommitter"/>; reads come from the newest batches, which are kept in memory, or from the files.
/// </summary>
internal sealed partial class DurableStorage : IPartitionStorage
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly DurableSettings _settings;
    private readonly LogCommitter _committer;
    private readonly int _partition;
    private readonly uint _checksumSeed;
    private readonly MemoryStorage _recent;
    private volatile Segment[] _segments;
    private long _start;
    private long _end;
    private long _bytes;
    private long _lastAppendUnixMs;
    private long _damagedRecords;

    private DurableStorage(IDisk disk, string directory, StoredTopic topic, int partition, DurableSettings settings, LogCommitter committer, RecoveredLog recovered)
    {
        _disk = disk;
        _directory = directory;
        _partition = partition;
        _checksumSeed = topic.ChecksumSeed;
        _writer = new Frame.Writer(_checksumSeed);
        _settings = settings;
        _committer = committer;
        _segments = [.. recovered.Segments];
        _epochs = recovered.Epochs;
        _producers = recovered.Producers;
        _group = recovered.Group;
        _start = recovered.Start;
        _end = recovered.End;
        _lastAppendUnixMs = recovered.LastAppendUnixMs;
        _lastLogMs = recovered.LastLogMs;
        _damagedRecords = recovered.Damaged.Sum(damage => damage.To - damage.From);
        _damageEnds = [.. recovered.Damaged.Select(damage => damage.To)];
        Log = new LogIdentity(topic.Id, _epochs[^1].Epoch);
        Producers = [.. _producers.Values.Select(producer => producer.Snapshot())];
        _recent = new MemoryStorage(Log, settings.Memory, _end);
        CountBytes();
    }

    public LogIdentity Log { get; }

    public long StartOffset => Volatile.Read(ref _start);

    public long HighWatermark => Volatile.Read(ref _end);

    public long EndOffset => Volatile.Read(ref _end);

    public long FirstBatchEnd
    {
        get
        {
            var place = Find(StartOffset);
            return place is var (segments, s, r) ? EndOf(segments, s, r) : EndOffset;
        }
    }

    public long Bytes => Volatile.Read(ref _bytes);

    public long LastAppendUnixMs => Volatile.Read(ref _lastAppendUnixMs);

    public long LastLogMs => Volatile.Read(ref _lastLogMs);

    /// <summary>Records that were acknowledged and cannot be read any more, because the file is damaged.</summary>
    public long DamagedRecords => Volatile.Read(ref _damagedRecords);

    public IReadOnlyList<ProducerSnapshot> Producers { get; }

    // The disk says when it is full.
    public bool HasRoom(long bytes) => true;

    /// <summary>Opens the log in a folder, or makes it.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The partition's folder.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition's number.</param>
    /// <param name="isNew">Whether there was no log so far.</param>
    /// <param name="epoch">The epoch that the log gets where it is not new: never given before.</param>
    /// <param name="settings">Sizes and bounds.</param>
    /// <param name="committer">Who writes.</param>
    /// <param name="report">What was found.</param>
    /// <exception cref="StorageException">The folder holds something else, or cannot be read or written.</exception>
    public static DurableStorage Open(
        IDisk disk, string directory, StoredTopic topic, int partition, bool isNew, int epoch, DurableSettings settings, LogCommitter committer, out RecoveryReport report)
    {
        try
        {
            var recovered = new LogRecovery(disk, directory, topic, partition, settings).Recover(epoch, isNew);
            report = recovered.Report;
            var storage = new DurableStorage(disk, directory, topic, partition, settings, committer, recovered);
            storage.BeginRun();
            return storage;
        }
        catch (IOException error)
        {
            throw new StorageException($"partition {partition}: the log cannot be opened: {error.Message}", fatal: true, error);
        }
    }

    public async ValueTask ReadAsync(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        var had = into.Count;
        if (offset >= _recent.StartOffset)
        {
            await _recent.ReadAsync(offset, bytesMax, into, cancellationToken);
            // What was dropped from memory meanwhile is on disk still.
            if (into.Count == had || into[had].BaseOffset <= offset || offset < StartOffset)
                return;
            into.RemoveRange(had, into.Count - had);
        }
        try
        {
            ReadFiles(offset, bytesMax, into, cancellationToken);
        }
        catch (ObjectDisposedException)
        {
            // The segment was dropped while it was read: what is left begins at the new start, which the reader looks at.
        }
    }

    public long OffsetForTime(long appendTimeUnixMs) => FirstRun(run => run.LastUnixMs >= appendTimeUnixMs);

    public long OffsetForLogTime(long appendLogMs) => FirstRun(run => run.LastLogMs >= appendLogMs);

    public long? AppendLogMs(long offset) => offset < HighWatermark && Find(offset) is var (segments, s, r) ? segments[s].Runs[r].LastLogMs : null;

    public long EpochEnd(int epoch)
    {
        foreach (var (later, start) in _epochs)
        {
            if (later > epoch)
                return start;
        }
        return EndOffset;
    }

    /// <summary>Counts the bytes from the first record that can be read to the end. Called when one of the two has moved.</summary>
    private void CountBytes()
    {
        var place = Find(StartOffset);
        var segments = place?.Segments ?? _segments;
        var bytes = 0L;
        for (var s = place?.Segment ?? segments.Length; s < segments.Length; s++)
            bytes += segments[s].Length - (s == place!.Value.Segment ? segments[s].Runs[place.Value.Run].Position : SegmentHeader.Bytes);
        Volatile.Write(ref _bytes, bytes);
    }

    private long FirstRun(Func<Run, bool> accept)
    {
        var segments = _segments;
        var start = StartOffset;
        for (var s = BaseOffsets.LastUpTo<Segment>(segments, start); s < segments.Length; s++)
        {
            var runs = segments[s].Runs;
            for (var r = BaseOffsets.LastUpTo(runs, start); r < runs.Length; r++)
            {
                if (EndOf(segments, s, r) > start && runs[r].BaseOffset < HighWatermark && accept(runs[r]))
                    return Math.Max(start, runs[r].BaseOffset);
            }
        }
        return HighWatermark;
    }

    /// <summary>The run that holds an offset, or the first after it.</summary>
    private (Segment[] Segments, int Segment, int Run)? Find(long offset)
    {
        var segments = _segments;
        for (var s = BaseOffsets.LastUpTo<Segment>(segments, offset); s < segments.Length; s++)
        {
            var runs = segments[s].Runs;
            if (runs.Length == 0)
                continue;
            var r = BaseOffsets.LastUpTo(runs, offset);
            if (EndOf(segments, s, r) > offset)
                return (segments, s, r);
        }
        return null;
    }

    private static long EndOf(Segment[] segments, int segment, int run)
    {
        var runs = segments[segment].Runs;
        return run + 1 < runs.Length ? runs[run + 1].BaseOffset : segments[segment].EndOffset;
    }
}

/// <summary>What a log on disk has to know.</summary>
/// <param name="Memory">What the newest batches of all partitions may take in memory.</param>
/// <param name="ProducersMax">How many producers are carried on into a new segment.</param>
/// <param name="RunRecordsMax">The most records that can only be dropped together.</param>
/// <param name="SegmentBytesMax">A segment that has reached this is followed by a new one.</param>
internal sealed record DurableSettings(MemoryBudget Memory, int ProducersMax, int RunRecordsMax, long SegmentBytesMax)
{
    /// <summary>The newest batches of a partition that are kept in memory, so that readers at the end do not read files.</summary>
    public long RecentBytesMax { get; init; } = 4L << 20;

    /// <summary>The length at which the file of the groups is written anew.</summary>
    public long GroupLogBytesMax { get; init; } = 8L << 20;
}
