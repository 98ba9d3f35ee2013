using System.Diagnostics;
using Telemetry.Collector;
using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>What a collector with default settings does beside writing, in the same steps and pauses: it folds, merges and removes what is too old.</summary>
/// <param name="store">The store.</param>
/// <param name="time">Its clock.</param>
internal sealed class Upkeep(TelemetryStore store, TimeProvider time)
{
    private const int QuietFoldings = 4;
    private const long LogBytesMax = 256L * 1024 * 1024;
    private static readonly CollectorOptions Settings = new();
    private static readonly TimeSpan LogPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FoldEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetainEvery = TimeSpan.FromMinutes(1);

    private long _folded;
    private long _merged;
    private long _removed;

    /// <summary>How long the collector lets rows wait.</summary>
    public static TimeSpan FoldDelay => Settings.FoldInterval;

    /// <summary>How long the collector lets an hour rest before it is merged.</summary>
    public static TimeSpan MergeQuiet => Settings.FoldInterval * QuietFoldings;

    /// <summary>Rows folded so far.</summary>
    public long Folded => Interlocked.Read(ref _folded);

    /// <summary>Chunks merged so far.</summary>
    public long Merged => Interlocked.Read(ref _merged);

    /// <summary>Plain rows removed so far.</summary>
    public long Removed => Interlocked.Read(ref _removed);

    /// <summary>Does all that is due, without a pause.</summary>
    public void CatchUp(TimeSpan foldDelay, CancellationToken stop)
    {
        Repeat(() => Fold(foldDelay), pauses: false, stop);
        Repeat(Merge, pauses: false, stop);
        Repeat(Retain, pauses: false, stop);
    }

    /// <summary>Folds and merges until it is stopped.</summary>
    /// <param name="speed">How many of the clock's seconds are a second.</param>
    /// <param name="stop">Ends it.</param>
    public void RunHistory(int speed, CancellationToken stop)
    {
        while (!stop.WaitHandle.WaitOne(FoldEvery / speed))
        {
            Repeat(
                () =>
                {
                    Repeat(() => Fold(FoldDelay), pauses: false, stop);
                    return Merge();
                },
                pauses: true, stop);
        }
    }

    /// <summary>Removes what is too old until it is stopped.</summary>
    /// <param name="speed">How many of the clock's seconds are a second.</param>
    /// <param name="stop">Ends it.</param>
    public void RunRetention(int speed, CancellationToken stop)
    {
        while (!stop.WaitHandle.WaitOne(RetainEvery / speed))
        {
            Repeat(Retain, pauses: true, stop);
            if (store.WalBytes > LogBytesMax)
                store.EmptyLog(LogPatience);
        }
    }

    /// <summary>Steps until there is no more; after each a pause as long as it took, if there are pauses.</summary>
    private static void Repeat(Func<bool> step, bool pauses, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            if (!step())
                return;
            if (pauses)
                stop.WaitHandle.WaitOne(Stopwatch.GetElapsedTime(began));
        }
    }

    private bool Fold(TimeSpan delay)
    {
        var step = store.Fold(delay);
        Interlocked.Add(ref _folded, step.Rows);
        return step.HasMore;
    }

    private bool Merge()
    {
        var step = store.Merge(MergeQuiet);
        Interlocked.Add(ref _merged, step.Chunks);
        return step.HasMore;
    }

    private bool Retain()
    {
        var now = time.GetUtcNow();
        var step = store.Retain(new RetentionCutoffs(now - Settings.RawRetention, now - Settings.HistoryRetention, now - Settings.RollupRetention));
        Interlocked.Add(ref _removed, step.Rows);
        return step.HasMore;
    }
}
