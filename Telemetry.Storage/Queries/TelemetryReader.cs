using System.Runtime.CompilerServices;
using Telemetry.Storage.Files;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Reads the store; never writes and never blocks a writer. Thread-safe. The file may not exist yet: then
/// <see cref="IsReady"/> is false and every query answers as from an empty store. A cancelled query stops working. Each
/// query reads the store as it is at one moment. A file that cannot be read is a <see cref="StoreException"/>.
/// </summary>
public sealed class TelemetryReader : IDisposable
{
    // Queries work in SQLite on a thread of their own; more at a time would only take turns.
    private static readonly int ConcurrentMax = Math.Max(4, Environment.ProcessorCount * 2);

    private readonly ReaderPool _pool;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _slots = new(ConcurrentMax);

    // An export may wait in a snapshot for whoever takes its rows, which must not keep others from reading.
    private readonly SemaphoreSlim _exports = new(ConcurrentMax / 2);

    // Nor must those who compute on all samples, for up to half a minute.
    private readonly SemaphoreSlim _computations = new(ConcurrentMax / 2);

    /// <summary>A reader of a database file; opens connections as they are needed.</summary>
    /// <param name="databasePath">The file.</param>
    /// <param name="time">The clock for "now"; the system's if null.</param>
    public TelemetryReader(string databasePath, TimeProvider? time = null)
    {
        _pool = new ReaderPool(Path.GetFullPath(databasePath));
        _time = time ?? TimeProvider.System;
    }

    /// <summary>How long an export reads one state of the store; for tests.</summary>
    internal TimeSpan SnapshotMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether the store is there and of a schema that this program knows.</summary>
    public bool IsReady
    {
        get
        {
            try
            {
                return _pool.Run(false, _ => true, CancellationToken.None);
            }
            catch (StoreException)
            {
                return false; // what is wrong is told by the next query
            }
        }
    }

    /// <summary>The names of all metric columns, in alphabetical order.</summary>
    public Task<IReadOnlyList<string>> MetricsAsync(CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => snapshot.MetricsAmong(null), cancellationToken);

    /// <summary>Looks whether the store can be read. Does not wait behind queries. An absent store is no error.</summary>
    /// <exception cref="StoreException">It is there and cannot be read.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        Task.Run(() => _pool.Run([], snapshot => snapshot.MetricsAmong(null), cancellationToken), cancellationToken);

    /// <summary>Refuses a store that is not there or not of this program's schema, which queries answer as an empty one.</summary>
    /// <exception cref="StoreException">What is wrong, and what to do.</exception>
    public void Require() => ExistingStore.Open(_pool.Path).Dispose();

    /// <summary>Rows, newest first; rows of equal time by series, and those of one series in the reverse order of their writing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below 1, or more than a million rows are to be passed over.</exception>
    public Task<RowPage> RowsAsync(RowQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfNegative(query.Skip, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Skip + query.Limit, RowPages.SkipMax, nameof(query));
        return QueryAsync(new RowPage([], query.CountTotal ? 0 : -1, null), snapshot => RowPages.Read(snapshot, query), cancellationToken);
    }

    /// <summary>
    /// All rows of a query, streamed: by hour, within an hour by GPU (each set of labels in the order in which the store met
    /// it), time and writing. Each row once; of those written meanwhile some. The store is never kept in an old state for
    /// longer than some seconds, however slowly the rows are taken.
    /// </summary>
    public async IAsyncEnumerable<TelemetryRow> ExportAsync(ExportQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var rows = new RowStream();
        var reading = ReadAsync(new Exports(query), rows, stop.Token);
        try
        {
            await foreach (var row in rows.TakeAsync(cancellationToken))
                yield return row;
        }
        finally
        {
            await stop.CancelAsync();
            await reading; // its errors came with the rows
        }
    }

    /// <summary>
    /// Plain rows in the order of their writing, at most <paramref name="limit"/> after a position; none for a position of null,
    /// which asks where the store ends. A row is plain for as long as the raw retention keeps it, folded or not.
    /// </summary>
    /// <returns>Null where there is no store.</returns>
    public Task<WrittenRows?> WrittenAsync(StorePosition? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return QueryAsync<WrittenRows?>(null, snapshot => WritingOrder.After(snapshot, after, limit), cancellationToken);
    }

    /// <summary>All hosts, by name.</summary>
    public Task<IReadOnlyList<HostRow>> HostsAsync(CancellationToken cancellationToken) =>
        QueryAsync([], FleetQueries.Hosts, cancellationToken);

    /// <summary>A host's GPUs, by index (numerically where they are numbers); empty for an unknown host.</summary>
    public Task<IReadOnlyList<GpuRow>> GpusAsync(string hostId, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => FleetQueries.Gpus(snapshot, hostId), cancellationToken);

    /// <summary>Aggregates of every metric (or those named), by group, in the order of the group's names. Metrics without values are left out.</summary>
    public Task<IReadOnlyList<AggregateGroup>> AggregateAsync(
        TimeRange range, GroupBy groupBy, string? hostId, string? gpuId, IReadOnlyList<string>? metrics, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => Aggregations.ByGroup(snapshot, range, groupBy, hostId, gpuId, metrics), cancellationToken);

    /// <summary>One metric of one GPU in buckets of <paramref name="step"/>, aligned to the range's start.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is not above zero.</exception>
    public Task<IReadOnlyList<SeriesPoint>> SeriesAsync(
        string hostId, string gpuId, string metric, TimeRange range, TimeSpan step, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(step, TimeSpan.Zero);
        return QueryAsync([], snapshot => Aggregations.Series(snapshot, hostId, gpuId, metric, range, step), cancellationToken);
    }

    /// <summary>The newest record of every GPU (by time, then by writing), by host and GPU.</summary>
    public Task<IReadOnlyList<LatestRow>> LatestAsync(string? hostId, string? gpuId, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => FleetQueries.Latest(snapshot, hostId, gpuId), cancellationToken);

    /// <summary>The sets of labels that a GPU has had, the newest first; empty for an unknown one.</summary>
    public Task<IReadOnlyList<GpuRow>> LabelsAsync(string hostId, string gpuId, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => FleetQueries.Labels(snapshot, hostId, gpuId), cancellationToken);

    /// <summary>For each query, since when those of its GPUs that fulfil the condition by their newest record in the range have done so.</summary>
    public Task<IReadOnlyList<IReadOnlyDictionary<GpuKey, ConditionRun>>> RunsAsync(
        IReadOnlyList<ConditionQuery> queries, TimeRange range, CancellationToken cancellationToken) =>
        QueryAsync([.. queries.Select(_ => new Dictionary<GpuKey, ConditionRun>())], snapshot => ConditionRuns.Of(snapshot, queries, range), cancellationToken);

    /// <summary>Records one after the other of a GPU that have the same value of a metric, other than 0; by GPU and time.</summary>
    public Task<IReadOnlyList<ValueRun>> ValueRunsAsync(string metric, TimeRange range, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => ValueRuns.Of(snapshot, metric, range), cancellationToken);

    /// <summary>Goes through the hours of all GPUs that the range touches, whole, with the averages of some metrics; each label set of a GPU by itself.</summary>
    public Task GpuHoursAsync(TimeRange range, IReadOnlyList<string> metrics, Action<GpuHourTotals> each, CancellationToken cancellationToken) =>
        QueryAsync(false, snapshot =>
        {
            GpuHours.Visit(snapshot, range, metrics, each);
            return true;
        }, cancellationToken);

    /// <summary>The fleet over a range.</summary>
    public Task<FleetSummary> SummaryAsync(TimeRange range, CancellationToken cancellationToken) =>
        QueryAsync(new FleetSummary(0, 0, 0, [], null), snapshot => FleetSummaries.Summarize(snapshot, range, _time.GetUtcNow()), cancellationToken);

    /// <summary>Received and expected records of each GPU and hour that the range touches, by host and GPU.</summary>
    public Task<IReadOnlyList<GpuCompleteness>> CompletenessAsync(TimeRange range, string? hostId, string? gpuId, CancellationToken cancellationToken) =>
        QueryAsync([], snapshot => Completeness.ByHour(snapshot, range, hostId, gpuId, _time.GetUtcNow()), cancellationToken);

    /// <summary>Runs work on the samples of the store as they are at one moment; what it returns must not need the store.</summary>
    /// <returns>What the work returns, or <paramref name="empty"/> where there is no store yet.</returns>
    public Task<T> SamplesAsync<T>(T empty, Func<SampleReader, T> work, CancellationToken cancellationToken) =>
        QueryAsync<T>(_computations, empty, snapshot =>
        {
            using var samples = new SampleReader(snapshot);
            return work(samples);
        }, cancellationToken);

    /// <summary>Checkpoints, gaps, dead letters and sizes.</summary>
    public Task<StoreState> StateAsync(CancellationToken cancellationToken) =>
        QueryAsync(new StoreState(0, 0, null, 0, 0, [], [], [], null), StoreStates.Read, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        _slots.Dispose();
        _exports.Dispose();
        _computations.Dispose();
    }

    private async Task ReadAsync(Exports export, RowStream rows, CancellationToken cancellationToken)
    {
        try
        {
            var hasRoom = false;
            while (!export.IsDone)
            {
                if (!hasRoom)
                    await rows.RoomAsync(cancellationToken);
                hasRoom = true;
                var isThere = await QueryAsync(_exports, false, snapshot =>
                {
                    var started = _time.GetTimestamp();
                    export.Read(snapshot, batch =>
                    {
                        rows.Add(batch);
                        var left = SnapshotMax - _time.GetElapsedTime(started);
                        hasRoom = left > TimeSpan.Zero && rows.HasRoom(left, cancellationToken);
                        return hasRoom;
                    });
                    return true;
                }, cancellationToken);
                if (!isThere)
                    break;
            }
            rows.End(null);
        }
        catch (Exception error)
        {
            rows.End(error);
        }
    }

    private Task<T> QueryAsync<T>(T empty, Func<Snapshot, T> query, CancellationToken cancellationToken) =>
        QueryAsync(_slots, empty, query, cancellationToken);

    private async Task<T> QueryAsync<T>(SemaphoreSlim slots, T empty, Func<Snapshot, T> query, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => _pool.Run(empty, query, cancellationToken), cancellationToken);
        }
        finally
        {
            slots.Release();
        }
    }

    private Task<IReadOnlyList<T>> QueryAsync<T>(IReadOnlyList<T> empty, Func<Snapshot, IReadOnlyList<T>> query, CancellationToken cancellationToken) =>
        QueryAsync<IReadOnlyList<T>>(empty, query, cancellationToken);
}
