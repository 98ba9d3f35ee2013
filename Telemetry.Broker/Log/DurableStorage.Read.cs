namespace Telemetry.Broker.Log;

// Reading from the files.
internal sealed partial class DurableStorage
{
    // Below the size from which on arrays are kept in the large object heap.
    private const int ReadBytes = 80_000;

    private readonly HashSet<Run> _damagedRuns = [];

    private void ReadFiles(long offset, long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        long bytes = 0;
        while (Find(Math.Max(offset, StartOffset)) is var (segments, s, r))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var segment = segments[s];
            var position = segment.Runs[r].Position;
            var next = ReadOn(segment, position, ref offset, ref bytes, bytesMax, into);
            if (next is null)
                return;
            // A place in the file that cannot be read: on with the next run. The reader sees that offsets are missing.
            var after = EndOf(segments, s, r);
            NoteDamage(segment.Runs[r], Math.Max(0, after - offset));
            offset = Math.Max(offset, after);
            if (into.Count > 0)
                return;
        }
    }

    /// <summary>Counts what cannot be read, once.</summary>
    private void NoteDamage(Run run, long records)
    {
        lock (_damagedRuns)
        {
            if (records > 0 && _damagedRuns.Add(run))
                Interlocked.Add(ref _damagedRecords, records);
        }
    }

    /// <summary>Reads from a position to the end of the segment.</summary>
    /// <returns>Null when enough was read; otherwise where the file ended or could not be read on.</returns>
    private long? ReadOn(Segment segment, long position, ref long offset, ref long bytes, long bytesMax, List<StoredBatch> into)
    {
        var end = segment.Length;
        var high = HighWatermark;
        var buffer = ReadOnlyMemory<byte>.Empty;
        Span<byte> header = stackalloc byte[Frame.HeaderBytes];
        while (position < end)
        {
            var length = Frame.PeekLength(buffer.Span);
            if (length == 0 || length > buffer.Length)
            {
                length = Frame.PeekLength(header[..segment.File.Read(position, header)]);
                var filled = new byte[(int)Math.Min(end - position, Math.Max(length, ReadBytes))];
                buffer = filled.AsMemory(0, segment.File.Read(position, filled));
            }
            if (!Frame.TryRead(buffer, out var frame, out length))
                return position;
            position += length;
            buffer = buffer[length..];
            if (frame.Kind != FrameKind.Batch || frame.EndOffset <= offset)
                continue;
            bytes += frame.Payload.Length;
            if (frame.EndOffset > high || (into.Count > 0 && bytes > bytesMax))
                return null;
            into.Add(frame.ToBatch());
            offset = frame.EndOffset;
        }
        return bytes > 0 ? null : position;
    }
}
