using Telemetry.Messaging.Client;
using Telemetry.Storage;

namespace Telemetry.Collector.Intake;

/// <summary>A step of a partition's reading: from one place of its log to another, with what came in between.</summary>
/// <param name="From">Before it; null before the first record.</param>
/// <param name="To">After it.</param>
/// <param name="Gaps">What never came.</param>
/// <param name="Batch">What came; null for a gap alone.</param>
/// <param name="Skip">Records at the batch's beginning that were read before.</param>
internal sealed record PartitionStep(LogPosition? From, LogPosition To, IReadOnlyList<LogGap> Gaps, Fetched.Batch? Batch, int Skip);

/// <summary>
/// Where the reading of a partition stands. Compares logs before numbers; every offset of the log is either in a batch or
/// in a gap, whatever the queue says or leaves unsaid, and none is in two steps.
/// </summary>
internal sealed class PartitionCursor(LogPosition? position)
{
    /// <summary>Records that the queue no longer had when this store first asked for them.</summary>
    public const string NotRetained = "not retained";

    /// <summary>The queue has another log now; what the old one still had is unknown.</summary>
    public const string LogReplaced = "log replaced";

    private readonly List<LogGap> _gaps = [];
    private LogPosition? _written = position; // after the last step
    private LogPosition? _position = position; // what comes next

    /// <summary>Where to go on reading.</summary>
    public FetchFrom Next => _position is { } next
        ? new FetchFrom.Offset(next.NextOffset, new LogIdentity(next.TopicId, next.LogEpoch))
        : new FetchFrom.Earliest();

    /// <summary>Takes what was fetched.</summary>
    /// <returns>The step to write; null where there is nothing to write.</returns>
    public PartitionStep? Take(Fetched fetched)
    {
        switch (fetched)
        {
            case Fetched.Started started:
                Enter(started.Log, started.Offset);
                return _gaps.Count > 0 ? Step(null, 0) : null;
            case Fetched.Gap gap:
                SkipTo(gap.ToOffset, gap.Reason);
                return _gaps.Count > 0 ? Step(null, 0) : null;
            case Fetched.Batch batch:
                return Take(batch);
            default:
                throw new InvalidOperationException($"unknown kind of fetched item: {fetched}");
        }
    }

    private PartitionStep? Take(Fetched.Batch batch)
    {
        Enter(batch.Log, batch.BaseOffset);
        var next = _position!.Value;
        if (batch.NextOffset <= next.NextOffset)
            return null; // all of it was read before
        SkipTo(batch.BaseOffset, "unknown");
        var skip = (int)(_position.Value.NextOffset - batch.BaseOffset);
        _position = next with { NextOffset = batch.NextOffset };
        return Step(batch, skip);
    }

    /// <summary>
    /// Another log than before. A new epoch of the same topic goes on where the old one stood, unless it has less: then what
    /// the old one still had is lost, and its numbers come again. Those of another topic mean nothing here: it is read from
    /// where it begins.
    /// </summary>
    private void Enter(LogIdentity log, long offset)
    {
        var entered = new LogPosition(log.TopicId, log.LogEpoch, offset);
        if (_position is { } old)
        {
            if (old.IsSameLog(entered))
                return;
            if (old.TopicId == log.TopicId && offset >= old.NextOffset)
            {
                // If it begins later, the queue says why.
                _position = entered with { NextOffset = old.NextOffset };
                return;
            }
            _gaps.Add(new LogGap(old.TopicId, old.LogEpoch, old.NextOffset, -1, LogReplaced));
        }
        if (offset > 0 && _position?.TopicId != log.TopicId)
            _gaps.Add(new LogGap(log.TopicId, log.LogEpoch, 0, offset, NotRetained));
        _position = entered;
    }

    private void SkipTo(long offset, string reason)
    {
        if (_position is not { } position || offset <= position.NextOffset)
            return;
        _gaps.Add(new LogGap(position.TopicId, position.LogEpoch, position.NextOffset, offset, reason));
        _position = position with { NextOffset = offset };
    }

    private PartitionStep Step(Fetched.Batch? batch, int skip)
    {
        var step = new PartitionStep(_written, _position!.Value, [.. _gaps], batch, skip);
        _gaps.Clear();
        _written = _position;
        return step;
    }
}
