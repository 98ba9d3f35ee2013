using System.Diagnostics;

namespace Telemetry.Benchmarks.Store;

/// <summary>
/// Writes a row of each GPU for each second, in time with the clock however long the store takes: when it is late it
/// writes without a pause until it is not.
/// </summary>
/// <param name="history">Where to, from where the clock stands on.</param>
/// <param name="speed">How many seconds of rows it writes in a second.</param>
internal sealed class OpenLoopWriter(History history, int speed)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long _rows;
    private long _seconds;
    private long _worstTicks;

    /// <summary>Rows written so far.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Seconds of rows written so far.</summary>
    public long Seconds => Interlocked.Read(ref _seconds);

    /// <summary>How long after a second was due its rows were synced, at the worst since this was asked last.</summary>
    public TimeSpan TakeWorstDelay() => TimeSpan.FromTicks(Interlocked.Exchange(ref _worstTicks, 0));

    /// <summary>Writes until it is stopped.</summary>
    public void Run(CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var first = history.Clock.GetUtcNow();
        for (var second = 0L; ; second++)
        {
            var due = second * Interval / speed;
            var early = due - Stopwatch.GetElapsedTime(began);
            if (early > TimeSpan.Zero && stop.WaitHandle.WaitOne(early))
                return;
            if (stop.IsCancellationRequested)
                return;
            history.Rows.Clear();
            history.Rows.Observe(first + second * Interval);
            history.Writer.Write(history.Rows.Block(0, history.Rows.Count));
            Interlocked.Add(ref _rows, history.Rows.Count);
            Interlocked.Increment(ref _seconds);
            var delay = Stopwatch.GetElapsedTime(began) - due;
            Interlocked.Exchange(ref _worstTicks, Math.Max(Interlocked.Read(ref _worstTicks), delay.Ticks));
        }
    }
}
