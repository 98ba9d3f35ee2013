using System.Diagnostics.CodeAnalysis;
using Telemetry.Collector.Writing;
using Telemetry.Messaging.Client;
using Telemetry.Storage;

namespace Telemetry.Collector.Intake;

/// <summary>
/// One assignment of one partition: takes it in the store, then reads from where the store is. Ends when it is stopped,
/// dropped, or fenced.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The source of cancellation has no timer and no wait handle, so it holds nothing; it may be cancelled until the very end.")]
internal sealed class PartitionSession
{
    private static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(10);

    private readonly CollectorContext _context;
    private readonly ICollectorQueue _queue;
    private readonly IntakeQueue _intake;
    private readonly OffsetCommitter _committer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private volatile bool _isDropped;

    public PartitionSession(CollectorContext context, ICollectorQueue queue, IntakeQueue intake, OffsetCommitter committer, ShardAssignment assignment)
    {
        (_context, _queue, _intake, _committer) = (context, queue, intake, committer);
        Partition = assignment.Shard;
        Generation = assignment.Generation;
        _running = Task.Run(RunAsync);
    }

    public int Partition { get; }

    /// <summary>Of the assignment; goes with commits to the queue.</summary>
    public long Generation { get; }

    /// <summary>The owner epoch in the store.</summary>
    public long OwnerEpoch { get; private set; }

    /// <summary>What is in hand must not be written any more.</summary>
    public bool IsDropped => _isDropped;

    /// <summary>Ends with the reading; never fails.</summary>
    public Task Completion => _running;

    /// <summary>Stops reading; what was read is still written. Returns when nothing more will come.</summary>
    public async Task StopReadingAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    /// <summary>Stops reading, and what was read is not written any more.</summary>
    public void Drop()
    {
        _isDropped = true;
        _stop.Cancel();
    }

    private async Task RunAsync()
    {
        try
        {
            var lease = await AcquireAsync();
            OwnerEpoch = lease.OwnerEpoch;
            CollectorLog.PartitionTaken(_context.Logger, _context.Options.Topic, Partition, lease.OwnerEpoch, lease.Position?.NextOffset ?? -1);
            await ReadAsync(new PartitionCursor(lease.Position), lease.Position);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped or dropped.
        }
        catch (Exception error)
        {
            _context.Fail(error);
        }
    }

    private async Task<PartitionLease> AcquireAsync()
    {
        for (var backoff = BackoffMin; ; backoff = Longer(backoff))
        {
            try
            {
                var lease = await Task.Run(() => _context.Store.AcquirePartition(_context.Options.Topic, Partition, _context.Owner), _stop.Token);
                _context.StoreWorks();
                return lease;
            }
            catch (StoreException error) when (error.IsTransient)
            {
                _context.StoreFailed(error);
                await Task.Delay(backoff, _context.Time, _stop.Token);
            }
        }
    }

    private async Task ReadAsync(PartitionCursor cursor, LogPosition? taken)
    {
        for (var backoff = BackoffMin; ; backoff = Longer(backoff))
        {
            try
            {
                await foreach (var fetched in _queue.FetchAsync(Partition, cursor.Next, _stop.Token))
                {
                    backoff = BackoffMin;
                    if (taken is { } position && fetched is Fetched.Started started)
                    {
                        // The owner before may have died between the store's commit and the queue's. A full partition has
                        // nothing new to read, and makes no room before the queue knows what the store has.
                        if (started.Log.TopicId == position.TopicId && started.Offset >= position.NextOffset)
                            _committer.Written(Partition, position.NextOffset, Generation);
                        taken = null;
                    }
                    if (cursor.Take(fetched) is not { } step)
                        continue;
                    await _intake.AddAsync(this, step, _stop.Token);
                }
                _stop.Token.ThrowIfCancellationRequested();
            }
            catch (QueueException error)
            {
                // Nothing is skipped on a guess: it is said aloud and tried again until someone mends it.
                _context.Metrics.Error("queue");
                CollectorLog.FetchRefused(_context.Logger, _context.Options.Topic, Partition, error.Code.ToString(), error.Message);
            }
            await Task.Delay(backoff, _context.Time, _stop.Token);
        }
    }

    private static TimeSpan Longer(TimeSpan backoff) => TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, BackoffMax.Ticks));
}
