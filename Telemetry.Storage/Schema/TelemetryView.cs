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
        // A LEFT JOIN on a unique key can neither add nor drop rows, so SQLite leaves it out where no label is asked for:
        // COUNT(*) touches only the samples.
        var sql = new StringBuilder("""
            DROP VIEW IF EXISTS telemetry;
            CREATE VIEW telemetry AS
              -- Every record with its labels and metrics, for people. Times are UTC.
              SELECT strftime('%Y-%m-%dT%H:%M:%fZ', s.time / 1000.0, 'unixepoch') AS timestamp,
                g.host_id, g.gpu_id, g.uuid, g.model, g.device, g.pod, g.namespace, g.container
            """);
        foreach (var metric in metrics)
            sql.Append(", s.\"").Append(metric).Append('"');
        sql.Append(" FROM sample AS s LEFT JOIN gpu AS g ON g.id = s.gpu;");
        database.Execute(sql.ToString());
    }
}
