using System.Diagnostics.CodeAnalysis;
using Telemetry.Collector.Writing;
using Telemetry.Messaging.Client;

namespace Telemetry.Collector.Intake;

/// <summary>Follows what the group assigns: a session for each partition, ended in the way that the change asks for.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The source of cancellation has no timer and no wait handle, so it holds nothing; it may be cancelled until the very end.")]
internal sealed class Assignments(CollectorContext context, ICollectorQueue queue, IntakeQueue intake, OffsetCommitter committer)
{
    // Long enough for a member that was paused to hear that it has lost its partitions, before it takes one again.
    private static readonly TimeSpan RetakeDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CommitTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, (PartitionSession Session, ShardAssignment Assignment)> _sessions = [];
    private readonly HashSet<PartitionSession> _reading = []; // also those that were ended and are not yet done
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Follows the changes until stopped.</summary>
    public async Task RunAsync()
    {
        try
        {
            await foreach (var change in queue.ChangesAsync(_stop.Token))
            {
                switch (change)
                {
                    case AssignmentChange.Assigned assigned:
                        foreach (var shard in assigned.Shards)
                            Begin(shard);
                        break;
                    case AssignmentChange.Revoked revoked:
                        await GiveBackAsync(revoked.Shards, revoked.Deadline);
                        break;
                    case AssignmentChange.Lost lost:
                        CollectorLog.PartitionsLost(context.Logger, context.Options.Topic, string.Join(',', lost.Shards), lost.Reason);
                        foreach (var session in Remove(lost.Shards))
                            session.Drop();
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    /// <summary>Ends all reading; what was read is still to be written.</summary>
    public async Task StopReadingAsync()
    {
        await _stop.CancelAsync();
        List<PartitionSession> sessions;
        lock (_lock)
            sessions = [.. _reading];
        await Task.WhenAll(sessions.Select(session => session.StopReadingAsync()));
    }

    /// <summary>
    /// The store has fenced a session. When the group goes on to say that the partition is ours, the other owner took it
    /// late and has lost it: it is taken again. Otherwise a change follows, and ends this.
    /// </summary>
    public void OnFenced(PartitionSession fenced) => _ = RetakeAsync(fenced);

    private async Task RetakeAsync(PartitionSession fenced)
    {
        try
        {
            await Task.Delay(RetakeDelay * (1 + Random.Shared.NextDouble()), context.Time, _stop.Token);
            lock (_lock)
            {
                if (_sessions.TryGetValue(fenced.Partition, out var current) && current.Session == fenced)
                    Begin(current.Assignment);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
        catch (Exception error)
        {
            context.Fail(error);
        }
    }

    private void Begin(ShardAssignment assignment)
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            if (_sessions.Remove(assignment.Shard, out var old))
                old.Session.Drop();
            var session = new PartitionSession(context, queue, intake, committer, assignment);
            _sessions.Add(assignment.Shard, (session, assignment));
            _reading.Add(session);
            _ = ForgetAsync(session);
        }
    }

    private async Task ForgetAsync(PartitionSession session)
    {
        await session.Completion;
        lock (_lock)
            _reading.Remove(session);
    }

    private async Task GiveBackAsync(IReadOnlyList<int> partitions, TimeSpan deadline)
    {
        var started = context.Time.GetTimestamp();
        var sessions = Remove(partitions);
        // A little before the deadline: the queue has to hear of it in time.
        var timeout = deadline * 0.8;
        try
        {
            await FinishAsync(sessions).WaitAsync(timeout, context.Time, _stop.Token);
            await CommitAsync();
        }
        catch (TimeoutException)
        {
            foreach (var session in sessions)
                session.Drop();
            CollectorLog.RevokedBeforeWritten(context.Logger, context.Options.Topic, string.Join(',', partitions), context.Time.GetElapsedTime(started).TotalSeconds);
        }
        await queue.ReleaseAsync(partitions, _stop.Token);
        CollectorLog.PartitionsReleased(context.Logger, context.Options.Topic, string.Join(',', partitions));
    }

    private async Task CommitAsync()
    {
        using var timeout = new CancellationTokenSource(CommitTimeout, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stop.Token);
        try
        {
            await committer.SendAsync(either.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The store has everything; the next owner tells the queue.
        }
    }

    private async Task FinishAsync(List<PartitionSession> sessions)
    {
        await Task.WhenAll(sessions.Select(session => session.StopReadingAsync()));
        if (sessions.Count > 0)
            await intake.FlushAsync(_stop.Token);
    }

    private List<PartitionSession> Remove(IReadOnlyList<int> partitions)
    {
        var removed = new List<PartitionSession>();
        lock (_lock)
        {
            foreach (var partition in partitions)
            {
                if (_sessions.Remove(partition, out var entry))
                    removed.Add(entry.Session);
            }
        }
        return removed;
    }
}
