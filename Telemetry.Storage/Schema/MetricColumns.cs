using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Schema;

/// <summary>
/// The metric columns of <c>sample</c>. Only names from here stand in SQL. Another process may add columns, so
/// <see cref="Refresh"/> is called in every transaction; it looks at SQLite's schema version and reads only what has changed.
/// </summary>
internal sealed class MetricColumns(Database database)
{
    /// <summary>The most metrics in a store. Each costs a byte in every row and a column in every statement.</summary>
    public const int Max = 512;

    private const int NameLengthMax = 64;

    private static readonly HashSet<string> Reserved =
        ["row_id", "rowid", "oid", "_rowid_", "time", "gpu", .. TelemetryView.LabelColumns];

    private readonly HashSet<string> _names = [];
    private readonly List<string> _ordered = [];
    private long _schemaVersion = -1;

    /// <summary>The names in the order in which they were added.</summary>
    public IReadOnlyList<string> Names => _ordered;

    /// <summary>Whether a metric has a column.</summary>
    public bool Contains(string name) => _names.Contains(name);

    /// <summary>Whether a name may be a column: <c>[a-z_][a-z0-9_]{0,63}</c> and not one of the store's own.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= NameLengthMax && !char.IsAsciiDigit(name[0])
        && name.All(c => c is (>= 'a' and <= 'z') or '_' or (>= '0' and <= '9')) && !Reserved.Contains(name);

    /// <summary>Reads the columns again if the schema has changed.</summary>
    public void Refresh()
    {
        var version = database.Scalar("PRAGMA schema_version") ?? 0;
        if (version == _schemaVersion)
            return;
        _names.Clear();
        _ordered.Clear();
        using var columns = database.Prepare("SELECT name FROM pragma_table_info('sample') WHERE name NOT IN ('row_id', 'time', 'gpu') ORDER BY cid");
        while (columns.Step())
        {
            // Someone may have added a column by hand; only names that are safe in SQL are metrics.
            var name = columns.Text(0);
            if (IsValid(name) && _names.Add(name))
                _ordered.Add(name);
        }
        _schemaVersion = version;
    }

    /// <summary>Forgets what is known; after a transaction that may have added columns was rolled back.</summary>
    public void Forget() => _schemaVersion = -1;

    /// <summary>Adds columns for those of the names that are new. Inside a transaction.</summary>
    /// <returns>The names that have no column, each with the reason.</returns>
    public IReadOnlyList<(string Name, string Reason)> Ensure(IReadOnlyList<string> names)
    {
        List<(string, string)>? refused = null;
        var added = false;
        foreach (var name in names)
        {
            if (_names.Contains(name))
                continue;
            if (!IsValid(name))
            {
                (refused ??= []).Add((name, RefusedValues.BadName));
                continue;
            }
            if (_names.Count >= Max)
            {
                (refused ??= []).Add((name, RefusedValues.TooManyMetrics));
                continue;
            }
            database.Execute($"ALTER TABLE sample ADD COLUMN \"{name}\" REAL");
            _names.Add(name);
            _ordered.Add(name);
            added = true;
        }
        if (added)
        {
            TelemetryView.Create(database, _ordered);
            _schemaVersion = database.Scalar("PRAGMA schema_version") ?? 0;
        }
        return refused ?? [];
    }
}
