using Telemetry.Storage.Queries;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Writing;

/// <summary>
/// The keys of identities in <c>gpu</c>. A key is never changed or deleted, so a cached one is right whatever other
/// processes do; only keys that this transaction has made must be forgotten when it is rolled back.
/// </summary>
internal sealed class SeriesTable(Database database) : IDisposable
{
    private const int CachedMax = 500_000; // about 200 B each

    private readonly Statement _select = database.Prepare(
        "SELECT id FROM gpu WHERE host_id = ?1 AND gpu_id = ?2 AND uuid = ?3 AND model = ?4 AND device = ?5 AND pod = ?6 AND namespace = ?7 AND container = ?8");

    private readonly Statement _insert = database.Prepare(
        "INSERT INTO gpu (host_id, gpu_id, uuid, model, device, pod, namespace, container) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

    private readonly Dictionary<GpuLabels, long> _keys = [];
    private readonly List<GpuLabels> _uncommitted = [];

    /// <summary>The identity's key; makes it if it is new. Inside a transaction.</summary>
    public long KeyOf(GpuLabels labels)
    {
        if (_keys.TryGetValue(labels, out var key))
            return key;
        Bind(_select, labels);
        if (_select.Step())
        {
            key = _select.Long(0);
            _select.Reset();
        }
        else
        {
            Bind(_insert, labels).Run();
            key = database.LastRowId;
            _uncommitted.Add(labels);
        }
        _keys.Add(labels, key);
        return key;
    }

    public void Committed()
    {
        _uncommitted.Clear();
        if (_keys.Count > CachedMax)
            _keys.Clear();
    }

    public void RolledBack()
    {
        foreach (var labels in _uncommitted)
            _keys.Remove(labels);
        _uncommitted.Clear();
    }

    private static Statement Bind(Statement statement, GpuLabels labels) => statement
        .Bind(1, labels.HostId).Bind(2, labels.GpuId).Bind(3, labels.Uuid).Bind(4, labels.Model)
        .Bind(5, labels.Device).Bind(6, labels.Pod).Bind(7, labels.Namespace).Bind(8, labels.Container);

    public void Dispose()
    {
        _select.Dispose();
        _insert.Dispose();
    }
}
