using System.Diagnostics;
using Telemetry.Collector.Intake;
using Telemetry.Storage;

namespace Telemetry.Collector.Writing;

/// <summary>The steps that are written together: a part for each session, of its steps in their order.</summary>
internal sealed class StoreTransaction
{
    private const int LettersLoggedMax = 5; // for each partition; the others stand in the table

    private readonly CollectorContext _context;
    private readonly List<List<IntakeItem.Step>> _steps = [];
    private DateTimeOffset _startedAt;
    private long _started;

    /// <param name="context">The collector.</param>
    /// <param name="pending">Decoded steps; those of sessions that were dropped are left out.</param>
    public StoreTransaction(CollectorContext context, IEnumerable<IntakeItem.Step> pending)
    {
        _context = context;
        var bySession = pending.Where(step => !step.Session.IsDropped).GroupBy(step => step.Session);
        foreach (var steps in bySession)
        {
            Sessions.Add(steps.Key);
            _steps.Add([.. steps]);
            Parts.Add(Part(steps.Key, _steps[^1]));
        }
    }

    /// <summary>The sessions, in the order of <see cref="Parts"/>.</summary>
    public List<PartitionSession> Sessions { get; } = [];

    public List<PartitionWrite> Parts { get; } = [];

    public bool IsEmpty => Parts.Count == 0;

    public WriteResult Write()
    {
        (_startedAt, _started) = (_context.Time.GetUtcNow(), _context.Time.GetTimestamp());
        return _context.Store.Write(Parts);
    }

    /// <summary>Counts, logs and traces what was written.</summary>
    public void Report(WriteResult result)
    {
        var metrics = _context.Metrics;
        metrics.Processed(result.Rows);
        metrics.Transaction(result.Rows, _context.Time.GetElapsedTime(_started));
        foreach (var refused in result.Refused)
        {
            metrics.Refused(refused.Reason, refused.Values);
            if (_context.IsNewRefusal(refused.Metric, refused.Reason))
                CollectorLog.RefusedValues(_context.Logger, refused.Values, refused.Metric, refused.Reason);
        }
        for (var i = 0; i < Parts.Count; i++)
        {
            if (!result.Fenced.Contains(i))
                Report(Parts[i], _steps[i]);
        }
    }

    private void Report(PartitionWrite part, List<IntakeItem.Step> steps)
    {
        var (metrics, logger) = (_context.Metrics, _context.Logger);
        var logged = 0;
        foreach (var letter in part.DeadLetters)
        {
            metrics.DeadLetters(letter.Reason, letter.Records);
            if (logged++ < LettersLoggedMax)
                CollectorLog.DeadLetter(logger, part.Topic, part.Partition, letter.Records, letter.Offset, letter.Reason, letter.Detail);
        }
        foreach (var gap in part.Gaps)
        {
            metrics.Gap(gap);
            CollectorLog.Gap(logger, part.Topic, part.Partition, gap.FromOffset, gap.ToOffset, gap.Reason);
        }
        var now = _context.Time.GetUtcNow();
        foreach (var step in steps)
        {
            var decoded = step.Decoded.Result;
            if (decoded.NewestTime is { } time)
                metrics.Fresh(now - DateTimeOffset.FromUnixTimeMilliseconds(time));
            if (decoded.Trace != default)
                Trace(part, step.Move, decoded);
        }
    }

    // The span that made the batch is the parent, so that a trace goes from the source to the store.
    private void Trace(PartitionWrite part, PartitionStep step, DecodedBatch decoded)
    {
        using var span = _context.Metrics.Spans.StartActivity("store batch", ActivityKind.Consumer, decoded.Trace, startTime: _startedAt);
        span?.SetTag("messaging.destination.name", part.Topic);
        span?.SetTag("messaging.destination.partition.id", part.Partition);
        span?.SetTag("messaging.offset", step.Batch!.BaseOffset);
        span?.SetTag("messaging.batch.message_count", decoded.Records);
    }

    private PartitionWrite Part(PartitionSession session, List<IntakeItem.Step> steps) => new()
    {
        Topic = _context.Options.Topic,
        Partition = session.Partition,
        OwnerEpoch = session.OwnerEpoch,
        From = steps[0].Move.From,
        To = steps[^1].Move.To,
        Rows = [.. steps.SelectMany(step => step.Decoded.Result.Rows)],
        DeadLetters = [.. steps.SelectMany(step => step.Decoded.Result.DeadLetters)],
        Gaps = [.. steps.SelectMany(step => step.Move.Gaps)],
    };
}
