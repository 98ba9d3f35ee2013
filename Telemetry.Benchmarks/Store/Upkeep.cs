using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>What the collector does beside writing: it folds, merges and removes what is too old.</summary>
/// <param name="store">The store.</param>
/// <param name="time">Its clock.</param>
internal sealed class Upkeep(TelemetryStore store, TimeProvider time)
{
    /// <summary>How long rows wait until they are folded.</summary>
    public static readonly TimeSpan FoldDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long an hour is quiet until it is merged.</summary>
    public static readonly TimeSpan MergeQuiet = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private long _folded;
    private long _merged;
    private long _removed;

    /// <summary>Rows folded so far.</summary>
    public long Folded => Interlocked.Read(ref _folded);

    /// <summary>Chunks merged so far.</summary>
    public long Merged => Interlocked.Read(ref _merged);

    /// <summary>Plain rows removed so far.</summary>
    public long Removed => Interlocked.Read(ref _removed);

    /// <summary>Does all that is due, in turns: rows do not wait behind an hour that is merged.</summary>
    /// <param name="foldDelay">How long rows wait.</param>
    /// <param name="mergeQuiet">How long an hour is quiet.</param>
    /// <param name="stop">Ends it between two steps.</param>
    public void Round(TimeSpan foldDelay, TimeSpan mergeQuiet, CancellationToken stop)
    {
        for (var hasMore = true; hasMore && !stop.IsCancellationRequested;)
        {
            var folding = store.Fold(foldDelay);
            var merging = store.Merge(mergeQuiet);
            var now = time.GetUtcNow();
            var retention = store.Retain(now - TimeSpan.FromHours(1), now - TimeSpan.FromDays(400));
            Interlocked.Add(ref _folded, folding.Rows);
            Interlocked.Add(ref _merged, merging.Chunks);
            Interlocked.Add(ref _removed, retention.Rows);
            hasMore = folding.HasMore || merging.HasMore || retention.HasMore;
        }
    }

    /// <summary>Round after round.</summary>
    public void Run(CancellationToken stop)
    {
        while (!stop.WaitHandle.WaitOne(Pause))
            Round(FoldDelay, MergeQuiet, stop);
    }
}
