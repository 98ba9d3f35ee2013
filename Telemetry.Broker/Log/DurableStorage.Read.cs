namespace Telemetry.Broker.Log;

// Reading from the files.
internal sealed partial class DurableStorage
{
    // Below the size from which on arrays are kept in the large object heap.
    private const int ReadBytes = 80_000;

    private readonly HashSet<long> _damageEnds; // the offsets at which the log goes on after records that are gone

    private void ReadFiles(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        while (Find(Math.Max(offset, StartOffset)) is var (segments, s, r)
            && ReadSegment(segments[s], segments[s].Runs[r].Position, ref offset, bytesMax, into))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Reads from a position on. What is damaged is passed over; the reader sees that offsets are missing.</summary>
    /// <returns>Whether to go on with the next segment: nothing was found in this one.</returns>
    private bool ReadSegment(Segment segment, long position, ref long offset, long bytesMax, List<StoredBatch> into)
    {
        // In this order: what ends before the one is in the file before the other.
        var endOffset = segment.EndOffset;
        var end = segment.Length;
        var had = into.Count;
        long bytes = 0;
        var buffer = ReadOnlyMemory<byte>.Empty;
        Span<byte> header = stackalloc byte[Frame.HeaderBytes];
        while (position < end && offset < endOffset)
        {
            var length = Frame.PeekLength(buffer.Span);
            if (length == 0 || length > buffer.Length)
            {
                length = Frame.PeekLength(header[..segment.File.Read(position, header)]);
                var filled = new byte[(int)Math.Min(end - position, Math.Max(length, ReadBytes))];
                buffer = filled.AsMemory(0, segment.File.Read(position, filled));
            }
            if (!Frame.TryRead(buffer, _checksumSeed, out var frame, out length))
            {
                position = new SegmentScan(segment.File, _checksumSeed).NextFrame(position + Frame.Alignment, segment.BaseOffset);
                buffer = default;
                continue;
            }
            position += length;
            buffer = buffer[length..];
            if (frame.Kind != FrameKind.Batch || frame.EndOffset <= offset)
                continue;
            if (frame.Offset > offset)
            {
                NoteDamage(offset, frame.Offset);
                if (into.Count > had)
                    return false;
            }
            bytes += frame.Payload.Length;
            if (frame.EndOffset > endOffset || (into.Count > 0 && bytes > bytesMax))
                return false;
            into.Add(frame.ToBatch());
            offset = frame.EndOffset;
        }
        if (offset < endOffset)
        {
            NoteDamage(offset, endOffset);
            if (into.Count == had)
                offset = endOffset;
        }
        return into.Count == had;
    }

    /// <summary>Counts what cannot be read, once.</summary>
    private void NoteDamage(long from, long to)
    {
        from = Math.Max(from, StartOffset);
        lock (_damageEnds)
        {
            if (from < to && _damageEnds.Add(to))
                Interlocked.Add(ref _damagedRecords, to - from);
        }
    }
}
