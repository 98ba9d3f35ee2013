using System.Diagnostics;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Benchmarks.Store;

/// <summary>Whether the store keeps up with a fleet: a row of each GPU a second, while it folds, merges and removes.</summary>
internal static class SustainedBenchmark
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LateMax = TimeSpan.FromSeconds(2);

    public static async Task MeasureAsync(StoreSettings settings, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder(settings.Folder);
        var path = folder.File("telemetry.db");
        var fleet = new WalkingFleet(settings.Gpus ?? 100_000);
        var length = TimeSpan.FromSeconds(settings.Seconds ?? 180);
        var due = (double)fleet.Gpus.Count * settings.Speed;
        using var history = settings.Hours is { } hours
            ? History.Write(path, fleet, TimeSpan.FromHours(hours), settings.Interval, cancellationToken)
            : History.Begin(path, fleet);
        Lines.Note("payload", $"{fleet.Gpus.Count:n0} GPUs, {fleet.Metrics.Count} metrics each, {fleet.Name}; {settings.Speed:n0} s of rows a second: {due:n0} rows/s, {length.TotalSeconds:n0} s");
        Lines.Note("durability", $"a transaction a second of rows, synced (SQLite WAL, synchronous=FULL); open-loop: delay counts from when the rows were due");
        Lines.Note("upkeep", $"as a collector with default settings: folded after {Upkeep.FoldDelay.TotalSeconds:n0} s, merged when an hour is quiet for {Upkeep.MergeQuiet.TotalMinutes:n0} min, plain rows kept 1 h; on two threads of this process");
        Lines.Plain($"{"at s",6}{"rows/s",12}{"delay max s",13}{"folded/s",12}{"merged/s",10}{"removed/s",11}{"waiting",14}{"WAL MB",9}{"file MB",10}{"heap MB",9}{"resident MB",13}");
        using var database = Database.Open(path, readOnly: true, TimeSpan.FromSeconds(5));
        var began = Stopwatch.GetTimestamp();
        var (cpu, worst, waiting, waitingMax) = (Environment.CpuUsage.TotalTime, TimeSpan.Zero, 0L, 0L);
        await using var load = Load.Start(history, settings.Speed);
        var before = new Counters(TimeSpan.Zero, 0, history.Upkeep.Folded, history.Upkeep.Merged, history.Upkeep.Removed);
        while (before.At < length)
        {
            await load.WaitAsync(TimeSpan.FromTicks(Math.Min(ReportEvery.Ticks, (length - before.At).Ticks)), cancellationToken);
            var now = new Counters(Stopwatch.GetElapsedTime(began), load.Writer.Rows, history.Upkeep.Folded, history.Upkeep.Merged, history.Upkeep.Removed);
            var seconds = (now.At - before.At).TotalSeconds;
            var delay = load.Writer.TakeWorstDelay();
            waiting = Waiting(database);
            var wal = history.Store.WalBytes;
            Lines.Plain($"{now.At.TotalSeconds,6:n0}{(now.Rows - before.Rows) / seconds,12:n0}{delay.TotalSeconds,13:n2}{(now.Folded - before.Folded) / seconds,12:n0}{(now.Merged - before.Merged) / seconds,10:n0}{(now.Removed - before.Removed) / seconds,11:n0}{waiting,14:n0}{wal / 1e6,9:n0}{(history.Store.DatabaseBytes - wal) / 1e6,10:n0}{GC.GetTotalMemory(false) / 1e6,9:n0}{Environment.WorkingSet / 1e6,13:n0}");
            (worst, waitingMax, before) = (delay > worst ? delay : worst, Math.Max(waiting, waitingMax), now);
        }
        // Written to the second, and what waits is no more than comes in until it is due and while it is folded.
        var late = before.At - TimeSpan.FromSeconds(load.Writer.Seconds / (double)settings.Speed);
        var keptUp = late < LateMax && waiting <= 2 * Upkeep.FoldDelay.TotalSeconds * fleet.Gpus.Count;
        Lines.Note("sustained", $"{(keptUp ? "kept up" : "did not keep up")}: {before.Rows / (before.At.TotalSeconds + 1.0 / settings.Speed):n0} of {due:n0} rows/s, at the end {Math.Max(0, late.TotalSeconds):n2} s late (at the worst {worst.TotalSeconds:n2}); {waiting:n0} rows waiting (at most {waitingMax:n0}); {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds / before.At.TotalSeconds:n2} cores used, the generator's share included");
    }

    private readonly record struct Counters(TimeSpan At, long Rows, long Folded, long Merged, long Removed);

    /// <summary>Plain rows that are not folded yet.</summary>
    private static long Waiting(Database database) => database.Scalar("""
        SELECT (SELECT first_row + rows FROM block ORDER BY first_row DESC LIMIT 1) - next_row FROM history
        """) ?? 0;
}
