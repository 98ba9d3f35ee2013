using System.Diagnostics;
using Telemetry.Storage;

namespace Telemetry.Benchmarks.Store;

/// <summary>
/// A store with a history, as if a collector had written it hour by hour: the clock goes with the rows, and the rows are
/// folded, merged and removed on the way.
/// </summary>
internal sealed class History : IDisposable
{
    private const int RowsMax = 50_000; // in a transaction
    private static readonly TimeSpan FoldDelay = TimeSpan.FromMinutes(10); // as the clock is quick, a few large steps

    private History(string path, ReportingFleet fleet)
    {
        Store = TelemetryStore.Open(path, new TelemetryStoreOptions { Time = Clock });
        Writer = new PartitionWriter(Store);
        Upkeep = new Upkeep(Store, Clock);
        Rows = new FleetRows(fleet, Math.Max(RowsMax, fleet.Gpus.Count));
    }

    public BenchmarkClock Clock { get; } = new();

    public TelemetryStore Store { get; }

    public PartitionWriter Writer { get; }

    public Upkeep Upkeep { get; }

    /// <summary>The fleet, and the rows that are written next.</summary>
    public FleetRows Rows { get; }

    /// <summary>The rows that were written.</summary>
    public long Count { get; private set; }

    /// <summary>An empty one.</summary>
    public static History Begin(string path, ReportingFleet fleet) => new(path, fleet);

    /// <summary>Writes a history; when it is made, the clock stands at its end.</summary>
    public static History Write(string path, ReportingFleet fleet, TimeSpan length, TimeSpan interval, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var history = new History(path, fleet);
        try
        {
            history.Write(BenchmarkClock.Start + length, interval, cancellationToken);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Lines.Note("history", $"{history.Count:n0} rows of {fleet.Gpus.Count:n0} GPUs, {fleet.Metrics.Count} metrics each, {fleet.Name}; {length.TotalHours:n1} h, every {interval.TotalSeconds:n0} s; written, folded and merged in {seconds:n0} s ({history.Count / seconds:n0} rows/s)");
            return history;
        }
        catch
        {
            history.Dispose();
            throw;
        }
    }

    private void Write(DateTimeOffset end, TimeSpan interval, CancellationToken cancellationToken)
    {
        for (var time = BenchmarkClock.Start; time < end; time += interval)
        {
            Clock.Set(time);
            Rows.Observe(time);
            if (Rows.IsFull)
                Flush(cancellationToken);
        }
        Flush(cancellationToken);
        Clock.Set(end);
    }

    private void Flush(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Writer.Write(Rows.Block(0, Rows.Count));
        Count += Rows.Count;
        Rows.Clear();
        Upkeep.CatchUp(FoldDelay, cancellationToken);
    }

    public void Dispose() => Store.Dispose();
}
