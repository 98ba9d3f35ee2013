using Telemetry.Messaging.Client;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

/// <summary>Where a fetch begins.</summary>
internal abstract record ReadFrom
{
    /// <summary>At an offset; of a certain log, or of whatever log is there.</summary>
    public sealed record Offset(long Value, LogIdentity? ExpectedLog) : ReadFrom;

    /// <summary>At the first batch appended at or after a wall time.</summary>
    public sealed record AppendTime(long UnixMs) : ReadFrom;

    /// <summary>At the first record.</summary>
    public sealed record Earliest : ReadFrom;

    /// <summary>After the last record.</summary>
    public sealed record Latest : ReadFrom;
}

/// <summary>Records that a reader can no longer get: [From, To).</summary>
internal readonly record struct ReadGap(long From, long To, GapReason Reason);

/// <summary>
/// A reader's place in a partition. It goes through the log batch by batch and says where records are missing.
/// </summary>
/// <remarks>
/// An offset of another topic means nothing here, so reading starts at this log's beginning, after a gap that says so (F20).
/// An offset of an earlier epoch is good as far as this log still has what that epoch had; who has read further goes on
/// where the two part, after such a gap. An offset beyond the end of this very epoch is refused: it can only be a mistake,
/// and waiting for it would be silence, while going on before it would deliver twice.
/// </remarks>
internal sealed class PartitionCursor
{
    private readonly PartitionLog _log;
    private ReadGap? _gap;

    private PartitionCursor(PartitionLog log, long next, ReadGap? gap = null)
    {
        _log = log;
        Next = next;
        _gap = gap;
    }

    /// <summary>The offset of the first record that was not read yet.</summary>
    public long Next { get; private set; }

    /// <summary>Puts a reader at a place.</summary>
    /// <exception cref="BrokerException">The offset is beyond the end of this log, or the partition is closed.</exception>
    public static PartitionCursor Open(PartitionLog log, ReadFrom from)
    {
        log.ThrowIfClosed();
        var start = log.StartOffset;
        switch (from)
        {
            case ReadFrom.Offset offset when offset.ExpectedLog is { } expected && expected.TopicId != log.Log.TopicId:
                return new PartitionCursor(log, start, new ReadGap(offset.Value, start, GapReason.GapLogReplaced));
            case ReadFrom.Offset offset when offset.ExpectedLog is { } expected && expected != log.Log && offset.Value > log.EpochEnd(expected.LogEpoch):
                var parting = Math.Max(start, log.EpochEnd(expected.LogEpoch));
                return new PartitionCursor(log, parting, new ReadGap(offset.Value, parting, GapReason.GapLogReplaced));
            case ReadFrom.Offset offset when offset.Value > log.HighWatermark:
                throw new BrokerException(
                    ErrorCode.OffsetOutOfRange,
                    $"offset {offset.Value} is beyond the end of partition {log.Partition} of topic '{log.Topic}', which has {start} to {log.HighWatermark}");
            case ReadFrom.Offset offset when offset.Value < start:
                return new PartitionCursor(log, start, new ReadGap(offset.Value, start, GapReason.GapExpired));
            case ReadFrom.Offset offset:
                return new PartitionCursor(log, offset.Value);
            case ReadFrom.AppendTime time:
                return new PartitionCursor(log, Math.Max(start, log.OffsetForTime(time.UnixMs)));
            case ReadFrom.Earliest:
                return new PartitionCursor(log, start);
            default:
                return new PartitionCursor(log, log.HighWatermark);
        }
    }

    /// <summary>Reads on without waiting: either a gap, or batches into the (empty) list, or nothing when the reader is at the end.</summary>
    /// <exception cref="BrokerException">The partition was closed.</exception>
    public async ValueTask<ReadGap?> ReadAsync(long bytesMax, List<StoredBatch> into, CancellationToken cancellationToken)
    {
        _log.ThrowIfClosed();
        if (_gap is not null)
        {
            var gap = _gap;
            _gap = null;
            return gap;
        }
        var end = _log.HighWatermark;
        await _log.ReadAsync(Next, bytesMax, into, cancellationToken);
        // What is missing is decided after reading: dropping goes on meanwhile.
        var first = into.Count > 0 ? into[0].BaseOffset : end;
        if (first > Next)
        {
            // A log that is being closed has nothing to read, and misses nothing.
            _log.ThrowIfClosed();
            var start = _log.StartOffset;
            return start > Next ? Skip(Math.Min(first, start), GapReason.GapExpired, into) : Skip(first, GapReason.GapCorrupt, into);
        }
        if (into.Count > 0)
            Next = into[^1].EndOffset;
        return null;
    }

    private ReadGap Skip(long to, GapReason reason, List<StoredBatch> read)
    {
        // What was read comes again, after the gap.
        read.Clear();
        var gap = new ReadGap(Next, to, reason);
        Next = to;
        return gap;
    }
}
