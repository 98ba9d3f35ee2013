using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage;

namespace Telemetry.Collector.Retention;

/// <summary>Removes what is too old, a little at a time and now and then, so that writing hardly notices.</summary>
internal sealed class RetentionService(CollectorContext context) : BackgroundService
{
    private static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);
    private const long LogBytesMax = 256L * 1024 * 1024; // four times what a commit leaves

    private static readonly TimeSpan LogPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var interval = TimeSpan.FromTicks(Math.Clamp(context.Options.RawRetention.Ticks / 60, IntervalMin.Ticks, IntervalMax.Ticks));
            using var timer = new PeriodicTimer(interval, context.Time);
            do
            {
                await RemoveAsync(stoppingToken);
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

    private async Task RemoveAsync(CancellationToken stoppingToken)
    {
        var removed = 0L;
        try
        {
            for (var hasMore = true; hasMore;)
            {
                var started = context.Time.GetTimestamp();
                var now = context.Time.GetUtcNow();
                var before = new RetentionCutoffs(now - context.Options.RawRetention, now - context.Options.HistoryRetention, now - context.Options.RollupRetention);
                var step = await Task.Run(() => context.Store.Retain(before), stoppingToken);
                context.StoreWorks();
                removed += step.Records;
                hasMore = step.HasMore;
                // As long as the step took: the writer has the store at least half of the time.
                if (hasMore)
                    await Task.Delay(context.Time.GetElapsedTime(started), context.Time, stoppingToken);
            }
            if (context.Store.WalBytes is var bytes and > LogBytesMax && !await Task.Run(() => context.Store.EmptyLog(LogPatience), stoppingToken))
                CollectorLog.WalIsLarge(context.Logger, bytes);
        }
        catch (StoreException error) when (error.IsTransient)
        {
            context.StoreFailed(error);
        }
        if (removed > 0)
        {
            context.Metrics.Expired(removed);
            CollectorLog.RecordsExpired(context.Logger, removed, Durations.Format(context.Options.HistoryRetention));
        }
    }
}
