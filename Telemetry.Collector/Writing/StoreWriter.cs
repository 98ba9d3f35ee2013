using System.Threading.Channels;
using Telemetry.Collector.Intake;
using Telemetry.Storage;

namespace Telemetry.Collector.Writing;

/// <summary>
/// The one that writes. It collects steps until there are enough records or the first has waited long enough, and under
/// load takes everything that is ready, so that transactions grow with the load. What the store does not take now is tried
/// again until it does.
/// </summary>
/// <param name="context">The collector.</param>
/// <param name="items">What to write.</param>
/// <param name="committer">Is told what was written.</param>
/// <param name="onFenced">Is told of sessions that the store has fenced.</param>
internal sealed class StoreWriter(CollectorContext context, ChannelReader<IntakeItem> items, OffsetCommitter committer, Action<PartitionSession> onFenced)
{
    private const int RecordsMax = 65_536; // in a transaction, give or take a batch

    private static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(5);

    private readonly List<IntakeItem.Step> _pending = [];
    private readonly List<TaskCompletionSource> _flushes = [];
    private int _records;
    private long _firstAt;

    /// <summary>Writes until there is nothing more to come and all of it is written.</summary>
    /// <param name="giveUp">Ends it at once; what is in hand stays unwritten.</param>
    /// <exception cref="StoreException">The store cannot be written any more.</exception>
    public async Task RunAsync(CancellationToken giveUp)
    {
        while (true)
        {
            var hasMore = await CollectAsync(giveUp);
            if (_pending.Count > 0)
                await WriteAsync(giveUp);
            foreach (var flush in _flushes)
                flush.TrySetResult();
            _flushes.Clear();
            if (!hasMore)
                return;
        }
    }

    /// <summary>Takes items until it is time to write.</summary>
    /// <returns>Whether more may come.</returns>
    private async Task<bool> CollectAsync(CancellationToken giveUp)
    {
        while (true)
        {
            while (_records < RecordsMax && _flushes.Count == 0 && items.TryRead(out var item))
                Take(item);
            if (_records >= context.Options.BatchSize || _flushes.Count > 0)
                return true;
            var wait = Timeout.InfiniteTimeSpan;
            if (_pending.Count > 0)
            {
                wait = context.Options.PollInterval - context.Time.GetElapsedTime(_firstAt);
                if (wait <= TimeSpan.Zero)
                    return true;
            }
            using var timeout = new CancellationTokenSource(wait, context.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, giveUp);
            try
            {
                if (!await items.WaitToReadAsync(either.Token))
                    return false;
            }
            catch (OperationCanceledException) when (!giveUp.IsCancellationRequested)
            {
                return true; // the first has waited long enough
            }
        }
    }

    private void Take(IntakeItem item)
    {
        switch (item)
        {
            case IntakeItem.Step step:
                if (_pending.Count == 0)
                    _firstAt = context.Time.GetTimestamp();
                _pending.Add(step);
                _records += step.Records;
                break;
            case IntakeItem.Flush flush:
                _flushes.Add(flush.Written);
                break;
        }
    }

    private async Task WriteAsync(CancellationToken giveUp)
    {
        foreach (var step in _pending)
            await step.Decoded.WaitAsync(giveUp);
        for (var backoff = BackoffMin; ; backoff = TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, BackoffMax.Ticks)))
        {
            // Built anew each time: partitions may be lost while the store is not there.
            var transaction = new StoreTransaction(context, _pending);
            try
            {
                // The store works in this thread; the channel's readers must not wait for it.
                var result = transaction.IsEmpty ? null : await Task.Run(() => transaction.Write(), giveUp);
                if (result is not null)
                    Written(transaction, result);
                break;
            }
            catch (StoreException error) when (error.IsTransient)
            {
                context.StoreFailed(error);
                await Task.Delay(backoff * (0.5 + Random.Shared.NextDouble()), context.Time, giveUp);
            }
        }
        foreach (var step in _pending)
            step.Room.Dispose();
        _pending.Clear();
        _records = 0;
    }

    private void Written(StoreTransaction transaction, WriteResult result)
    {
        context.StoreWorks();
        transaction.Report(result);
        for (var i = 0; i < transaction.Sessions.Count; i++)
        {
            var session = transaction.Sessions[i];
            if (!result.Fenced.Contains(i))
            {
                committer.Written(session.Partition, transaction.Parts[i].To.NextOffset, session.Generation);
                continue;
            }
            session.Drop();
            context.Metrics.Fenced();
            CollectorLog.Fenced(context.Logger, context.Options.Topic, session.Partition);
            onFenced(session);
        }
    }
}
