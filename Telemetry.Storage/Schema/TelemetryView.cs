using System.Text;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Schema;

/// <summary>The view <c>telemetry</c>, for people with the sqlite3 shell.</summary>
internal static class TelemetryView
{
    /// <summary>The names of the columns before the metrics.</summary>
    public static readonly IReadOnlyList<string> LabelColumns =
        ["timestamp", "host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container"];

    /// <summary>Makes the view anew with these metrics.</summary>
    public static void Create(Database database, IEnumerable<string> metrics)
    {
        // A subquery a label, not a join: SQLite leaves out the labels that are not asked for, so that COUNT(*) only
        // counts pages. It cannot leave out a join where there is an aggregate (measured: seven times slower).
        var sql = new StringBuilder("""
            DROP VIEW IF EXISTS telemetry;
            CREATE VIEW telemetry AS
              -- Every record with its labels and metrics, for people. Times are UTC.
              SELECT strftime('%Y-%m-%dT%H:%M:%fZ', s.time / 1000.0, 'unixepoch') AS timestamp
            """);
        foreach (var label in LabelColumns.Skip(1))
            sql.Append(",\n    (SELECT ").Append(label).Append(" FROM gpu WHERE id = s.gpu) AS ").Append(label);
        foreach (var metric in metrics)
            sql.Append(",\n    s.\"").Append(metric).Append('"');
        sql.Append("\n  FROM sample AS s");
        database.Execute(sql.ToString());
    }
}
