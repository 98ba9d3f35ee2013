namespace Telemetry.Storage.Queries;

/// <summary>
/// Reads the store; never writes and never blocks a writer. Thread-safe. The file may not exist yet: then
/// <see cref="IsReady"/> is false and every query answers as from an empty store. A cancelled query stops working.
/// </summary>
public sealed class TelemetryReader : IDisposable
{
    /// <summary>A reader of a database file; opens connections as they are needed.</summary>
    /// <param name="databasePath">The file.</param>
    /// <param name="time">The clock for "now"; the system's if null.</param>
    public TelemetryReader(string databasePath, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>Whether the store is there and of a schema that this program knows.</summary>
    public bool IsReady => throw new NotImplementedException();

    /// <summary>The names of all metric columns, in alphabetical order.</summary>
    public Task<IReadOnlyList<string>> MetricsAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Rows, newest first; rows of equal time in the reverse order of their writing.</summary>
    public Task<RowPage> RowsAsync(RowQuery query, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>All hosts, by name.</summary>
    public Task<IReadOnlyList<HostRow>> HostsAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>A host's GPUs, by index (numerically where they are numbers); empty for an unknown host.</summary>
    public Task<IReadOnlyList<GpuRow>> GpusAsync(string hostId, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Aggregates of every metric (or those named), by group, in the order of the group's names.</summary>
    public Task<IReadOnlyList<AggregateGroup>> AggregateAsync(
        TimeRange range, GroupBy groupBy, string? hostId, string? gpuId, IReadOnlyList<string>? metrics, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>One metric of one GPU in buckets of <paramref name="step"/>, aligned to the range's start.</summary>
    public Task<IReadOnlyList<SeriesPoint>> SeriesAsync(
        string hostId, string gpuId, string metric, TimeRange range, TimeSpan step, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>The newest record of every GPU (by time, then by writing), by host and GPU.</summary>
    public Task<IReadOnlyList<LatestRow>> LatestAsync(string? hostId, string? gpuId, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The fleet over a range.</summary>
    public Task<FleetSummary> SummaryAsync(TimeRange range, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Checkpoints, gaps, dead letters and sizes.</summary>
    public Task<StoreState> StateAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
