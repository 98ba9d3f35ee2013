using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>Checkpoints, gaps and dead letters: that each makes sense, and that they agree.</summary>
internal static class Offsets
{
    public static CheckResult Check(Database database) => Verification.InSnapshot(database, _ =>
    {
        var findings = new Findings();
        findings.AddRows(database, """
            SELECT topic, partition, topic_id, log_epoch, next_offset, owner_epoch FROM checkpoint
            WHERE owner_epoch < 1 OR partition < 0 OR log_epoch < 0 OR iif(topic_id = '', next_offset <> -1, next_offset < 0 OR length(topic_id) <> 36)
            """,
            c => $"checkpoint {c.Text(0)}/{c.Long(1)}: topic '{c.Text(2)}', log epoch {c.Long(3)}, next offset {c.Long(4)}, owner epoch {c.Long(5)}");
        findings.AddRows(database, """
            SELECT id, topic, partition, from_offset, to_offset FROM gap
            WHERE from_offset < -1 OR to_offset < -1 OR (from_offset >= 0 AND to_offset >= 0 AND to_offset <= from_offset)
            """,
            g => $"gap {g.Long(0)}, {g.Text(1)}/{g.Long(2)}: offsets {g.Long(3)} to {g.Long(4)}");
        findings.AddRows(database, """
            SELECT id, topic, partition, offset, records FROM dead_letter WHERE offset < 0 OR records < 1
            """,
            d => $"dead letter {d.Long(0)}, {d.Text(1)}/{d.Long(2)}: {d.Long(4)} records from offset {d.Long(3)}");
        // Both were noted in the transaction that moved the checkpoint past them.
        findings.AddRows(database, """
            SELECT n.kind, n.id, c.topic, c.partition, n.to_offset, c.next_offset FROM (
              SELECT 'gap' AS kind, id, topic, partition, topic_id, log_epoch, to_offset FROM gap
              UNION ALL SELECT 'dead letter', id, topic, partition, topic_id, log_epoch, offset + records FROM dead_letter) AS n
            LEFT JOIN checkpoint AS c ON c.topic = n.topic AND c.partition = n.partition
            WHERE c.topic IS NULL OR (c.topic_id = n.topic_id AND c.log_epoch = n.log_epoch AND n.to_offset > c.next_offset)
            """,
            n => n.IsNull(2)
                ? $"{n.Text(0)} {n.Long(1)} is of a partition that has no checkpoint"
                : $"{n.Text(0)} {n.Long(1)}, {n.Text(2)}/{n.Long(3)}: ends at offset {n.Long(4)}, and the checkpoint is at {n.Long(5)}");
        findings.AddRows(database, """
            SELECT a.id, b.id, a.topic, a.partition FROM gap AS a JOIN gap AS b
            ON b.topic = a.topic AND b.partition = a.partition AND b.topic_id = a.topic_id AND b.log_epoch = a.log_epoch AND b.id > a.id
            WHERE a.from_offset >= 0 AND b.from_offset >= 0 AND a.from_offset < b.to_offset AND b.from_offset < a.to_offset
            """,
            g => $"gaps {g.Long(0)} and {g.Long(1)}, {g.Text(2)}/{g.Long(3)}, overlap");
        var (partitions, gaps) = (database.Scalar("SELECT count(*) FROM checkpoint"), database.Scalar("SELECT count(*) FROM gap"));
        return findings.Of(QuickLook.OffsetsSubject, $"{partitions:N0} partitions, {gaps:N0} gaps, {database.Scalar("SELECT count(*) FROM dead_letter"):N0} dead letters");
    });
}
