using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.History;

/// <summary>The numbers of metrics in chunks and roll-ups, as they are at one moment. They are never changed or used again.</summary>
internal sealed class MetricIds
{
    private readonly Dictionary<string, int> _ids = [];
    private readonly List<string> _new = [];

    /// <summary>Reads them.</summary>
    public static MetricIds Read(Database database)
    {
        var ids = new MetricIds();
        using var select = database.Prepare("SELECT id, name FROM metric ORDER BY id");
        while (select.Step())
            ids.Add(select.Text(1), select.Int(0));
        return ids;
    }

    /// <summary>One more than the highest: the length of an array with a place for each.</summary>
    public int Count { get; private set; }

    /// <summary>The number of a metric; -1 where the history has none of it.</summary>
    public int Of(string name) => _ids.GetValueOrDefault(name, -1);

    /// <summary>The number of a metric; gives it the next one if it is new.</summary>
    public int Ensure(string name)
    {
        if (_ids.TryGetValue(name, out var id))
            return id;
        id = Count;
        Add(name, id);
        _new.Add(name);
        return id;
    }

    /// <summary>Writes the new ones. Inside a transaction that is sure that nobody else has given these numbers.</summary>
    public void WriteNew(Database database)
    {
        using var insert = database.Prepare("INSERT INTO metric (id, name) VALUES (?1, ?2)");
        foreach (var name in _new)
            insert.Bind(1, _ids[name]).Bind(2, name).Run();
    }

    private void Add(string name, int id)
    {
        _ids.Add(name, id);
        Count = Math.Max(Count, id + 1);
    }
}
