using Telemetry.Storage;

namespace Telemetry.Collector.Retention;

/// <summary>
/// Folds plain rows into the history and merges what is complete, a bounded step at a time. Several collectors may do it on
/// one file: who comes second finds nothing to do, or gives up its step.
/// </summary>
internal sealed class HistoryService(CollectorContext context) : BackgroundService
{
    // An hour is merged when nothing was added to it for so many foldings.
    private const int QuietFoldings = 4;

    private static readonly TimeSpan IntervalMax = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var interval = TimeSpan.FromTicks(Math.Min(context.Options.FoldInterval.Ticks / 2, IntervalMax.Ticks));
            // At a moment of its own, so that several collectors do not fold the same rows.
            await Task.Delay(interval * Random.Shared.NextDouble(), context.Time, stoppingToken);
            using var timer = new PeriodicTimer(interval, context.Time);
            do
            {
                await FoldAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
        catch (Exception error)
        {
            context.Fail(error);
        }
    }

    private async Task FoldAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var hasMore = true; hasMore;)
            {
                // Rows are folded between any two steps of a merge: the hour of a large fleet takes minutes.
                for (var hasRows = true; hasRows;)
                {
                    var fold = await Task.Run(() => context.Store.Fold(context.Options.FoldInterval), stoppingToken);
                    context.Metrics.Folded(fold.Rows);
                    hasRows = fold.HasMore;
                }
                var started = context.Time.GetTimestamp();
                var merge = await Task.Run(() => context.Store.Merge(context.Options.FoldInterval * QuietFoldings), stoppingToken);
                hasMore = merge.HasMore;
                // As long as the step took: merging may take its time, the others have work to do.
                if (hasMore)
                    await Task.Delay(context.Time.GetElapsedTime(started), context.Time, stoppingToken);
            }
            context.StoreWorks();
        }
        catch (StoreException error) when (error.IsTransient)
        {
            context.StoreFailed(error);
        }
    }
}
