using Telemetry.Broker.Producers;
using Telemetry.Messaging.Client;

namespace Telemetry.Broker.Log;

/// <summary>
/// A partition's log in memory: batches in segments of fixed length, so that readers need no lock. The one writer fills a
/// segment from the left and then publishes its count; dropping clears entries from the left and then replaces the array of
/// segments. A reader that meets a cleared entry goes on to the right of it.
/// </summary>
internal sealed class MemoryStorage(LogIdentity log, MemoryBudget budget, long startOffset = 0) : IPartitionStorage
{
    private const int SegmentBatches = 512;

    private volatile Segment[] _segments = [];
    private long _start = startOffset;
    private long _end = startOffset;
    private long _bytes;
    private long _lastAppendUnixMs;

    public LogIdentity Log { get; } = log;

    public long StartOffset => Volatile.Read(ref _start);

    public long HighWatermark => Volatile.Read(ref _end);

    public long EndOffset => Volatile.Read(ref _end);

    public long FirstBatchEnd => At(StartOffset)?.EndOffset ?? EndOffset;

    public long Bytes => Volatile.Read(ref _bytes);

    public long LastAppendUnixMs => Volatile.Read(ref _lastAppendUnixMs);

    public IReadOnlyList<ProducerSnapshot> Producers => [];

    public bool HasRoom(long bytes) => budget.HasRoom(bytes);

    public ValueTask AppendAsync(IReadOnlyList<StoredBatch> group)
    {
        Append(group);
        return ValueTask.CompletedTask;
    }

    /// <summary>Appends batches.</summary>
    public void Append(IReadOnlyList<StoredBatch> group)
    {
        for (var i = 0; i < group.Count; i++)
            Append(group[i]);
    }

    public ValueTask OpenProducerAsync(string producerId, int epoch) => ValueTask.CompletedTask;

    public ValueTask ReadAsync(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        var end = HighWatermark;
        var segments = _segments;
        long bytes = 0;
        for (var s = BaseOffsets.LastUpTo<Segment>(segments, offset); s < segments.Length; s++)
        {
            var count = segments[s].Count;
            for (var i = segments[s].IndexOf(offset); i < count; i++)
            {
                if (segments[s].Batches[i] is not { } batch)
                    continue;
                bytes += batch.Payload.Length;
                if (batch.EndOffset > end || (into.Count > 0 && bytes > bytesMax))
                    return ValueTask.CompletedTask;
                into.Add(batch);
            }
        }
        return ValueTask.CompletedTask;
    }

    public long OffsetForTime(long appendTimeUnixMs)
    {
        // Wall times may go back, so this looks at each: what it returns never skips a batch appended at or after the time.
        foreach (var segment in _segments)
        {
            var count = segment.Count;
            for (var i = 0; i < count; i++)
            {
                if (segment.Batches[i] is { } batch && batch.AppendTimeUnixMs >= appendTimeUnixMs)
                    return batch.BaseOffset;
            }
        }
        return HighWatermark;
    }

    public long OffsetForLogTime(long appendLogMs)
    {
        // Called to expire: what is looked for is at the left end.
        foreach (var segment in _segments)
        {
            var count = segment.Count;
            if (count == SegmentBatches && segment.Batches[count - 1] is { } last && last.AppendLogMs < appendLogMs)
                continue;
            for (var i = 0; i < count; i++)
            {
                if (segment.Batches[i] is { } batch && batch.AppendLogMs >= appendLogMs)
                    return batch.BaseOffset;
            }
        }
        return HighWatermark;
    }

    public long? AppendLogMs(long offset) => At(offset)?.AppendLogMs;

    public void DropBefore(long offset)
    {
        var segments = _segments;
        var first = 0;
        while (first < segments.Length)
        {
            var segment = segments[first];
            while (segment.Dropped < segment.Count && segment.Batches[segment.Dropped]!.EndOffset <= offset)
            {
                var batch = segment.Batches[segment.Dropped]!;
                Volatile.Write(ref _start, batch.EndOffset);
                segment.Batches[segment.Dropped++] = null;
                Forget(batch);
            }
            if (segment.Dropped < SegmentBatches)
                break;
            first++;
        }
        if (first > 0)
            _segments = segments[first..];
    }

    public ValueTask DisposeAsync()
    {
        _segments = [];
        budget.Add(-Interlocked.Exchange(ref _bytes, 0));
        return ValueTask.CompletedTask;
    }

    private void Append(StoredBatch batch)
    {
        var segments = _segments;
        if (segments.Length == 0 || segments[^1].Count == SegmentBatches)
            _segments = segments = [.. segments, new Segment(batch.BaseOffset)];
        segments[^1].Add(batch);
        budget.Add(batch.Bytes);
        Volatile.Write(ref _bytes, _bytes + batch.Bytes);
        Volatile.Write(ref _lastAppendUnixMs, batch.AppendTimeUnixMs);
        Volatile.Write(ref _end, batch.EndOffset);
    }

    private void Forget(StoredBatch batch)
    {
        budget.Add(-batch.Bytes);
        Volatile.Write(ref _bytes, _bytes - batch.Bytes);
    }

    private StoredBatch? At(long offset)
    {
        var segments = _segments;
        for (var s = BaseOffsets.LastUpTo<Segment>(segments, offset); s < segments.Length; s++)
        {
            var count = segments[s].Count;
            for (var i = segments[s].IndexOf(offset); i < count; i++)
            {
                if (segments[s].Batches[i] is { } batch)
                    return batch;
            }
        }
        return null;
    }

    private sealed class Segment(long baseOffset) : ILogPart
    {
        private int _count;

        public long BaseOffset { get; } = baseOffset;

        public StoredBatch?[] Batches { get; } = new StoredBatch?[SegmentBatches];

        public int Count => Volatile.Read(ref _count);

        /// <summary>Entries cleared on the left; the writer's.</summary>
        public int Dropped { get; set; }

        public void Add(StoredBatch batch)
        {
            Batches[_count] = batch;
            Volatile.Write(ref _count, _count + 1);
        }

        /// <summary>The index of the first batch that ends after the offset; the count for none.</summary>
        public int IndexOf(long offset)
        {
            int low = 0, high = Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Volatile.Read(ref Batches[middle]) is { } batch && batch.EndOffset > offset)
                    high = middle;
                else
                    low = middle + 1;
            }
            return low;
        }
    }
}
