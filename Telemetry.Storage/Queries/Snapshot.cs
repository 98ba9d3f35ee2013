using Telemetry.Storage.History;
using Telemetry.Storage.Schema;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Queries;

/// <summary>The store at one moment: what a query works on. It lives as long as the query's transaction.</summary>
internal sealed class Snapshot : IDisposable
{
    private readonly Dictionary<long, GpuLabels> _labels = [];

    public Snapshot(Database database)
    {
        Database = database;
        Columns = new MetricColumns(database);
        Columns.Refresh();
        History = HistoryState.Read(database);
        MetricIds = MetricIds.Read(database);
        Chunks = new ChunkTable(database);
    }

    public Database Database { get; }

    public MetricColumns Columns { get; }

    /// <summary>Which rows are plain.</summary>
    public HistoryState History { get; }

    /// <summary>The metrics' numbers in the history.</summary>
    public MetricIds MetricIds { get; }

    /// <summary>The history.</summary>
    public ChunkTable Chunks { get; }

    /// <summary>Those of the named metrics that exist, each once; all for null. In alphabetical order.</summary>
    public IReadOnlyList<string> MetricsAmong(IEnumerable<string>? names) =>
        [.. (names?.Distinct().Where(Columns.Contains) ?? Columns.Names).Order(StringComparer.Ordinal)];

    /// <summary>The identity of a series.</summary>
    public GpuLabels LabelsOf(long series)
    {
        if (_labels.TryGetValue(series, out var labels))
            return labels;
        using var select = Database.Prepare(
            "SELECT host_id, gpu_id, uuid, model, device, pod, namespace, container FROM gpu WHERE id = ?1").Bind(1, series);
        if (!select.Step())
            throw new StoreException(StoreFault.Damaged, $"database '{Database.Path}': series {series} has rows but no identity");
        labels = ReadLabels(select, 0);
        _labels.Add(series, labels);
        return labels;
    }

    public void Dispose() => Chunks.Dispose();

    /// <summary>Reads the eight label columns from a row.</summary>
    public static GpuLabels ReadLabels(Statement row, int first) => new(
        row.Text(first), row.Text(first + 1), row.Text(first + 2), row.Text(first + 3),
        row.Text(first + 4), row.Text(first + 5), row.Text(first + 6), row.Text(first + 7));
}
