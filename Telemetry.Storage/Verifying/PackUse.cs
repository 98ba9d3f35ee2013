using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>Which chunks and packs there are, without a look into them.</summary>
internal static class PackUse
{
    public static CheckResult Check(Database database) => Verification.InSnapshot(database, snapshot =>
    {
        var findings = new Findings();
        findings.AddRows(database, """
            SELECT u.pack, u.chunks, coalesce(p.chunks, 0), u.bytes, coalesce(length(d.data), 0)
            FROM (SELECT pack, count(*) AS chunks, max(offset + bytes) AS bytes FROM chunk GROUP BY pack) AS u
            LEFT JOIN pack AS p ON p.id = u.pack LEFT JOIN pack_data AS d ON d.id = u.pack
            WHERE p.id IS NULL OR d.id IS NULL OR p.chunks <> u.chunks OR length(d.data) < u.bytes
            """,
            p => $"pack {p.Long(0)}: {p.Long(1)} chunks are in it up to byte {p.Long(3)}, and it says {p.Long(2)} chunks and has {p.Long(4)} bytes");
        findings.AddRows(database, """
            SELECT id FROM (SELECT id FROM pack UNION SELECT id FROM pack_data) WHERE id NOT IN (SELECT pack FROM chunk)
            """,
            p => $"pack {p.Long(0)} has no chunks");
        var rows = database.Scalar("SELECT sum(rows) FROM chunk WHERE level = 0") ?? 0;
        if (rows != snapshot.History.Rows)
            findings.Add($"history: it says {snapshot.History.Rows} records, and the chunks have {rows}");
        return findings.Of("packs", $"{database.Scalar("SELECT count(*) FROM pack"):N0} packs, {database.Scalar("SELECT count(*) FROM chunk"):N0} chunks");
    });
}
