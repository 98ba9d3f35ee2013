namespace Telemetry.Storage.Queries;

/// <summary>Checkpoints, gaps, dead letters and sizes.</summary>
internal static class StoreStates
{
    private const int GapsMax = 100;

    public static StoreState Read(Snapshot snapshot)
    {
        var path = snapshot.Database.Path;
        var bytes = new[] { path, path + "-wal" }.Select(p => new FileInfo(p)).Where(f => f.Exists).Sum(f => f.Length);
        return new StoreState(
            Rows(snapshot), bytes, NewestRecord(snapshot), snapshot.History.Rows, HistoryBytes(snapshot),
            Checkpoints(snapshot), Gaps(snapshot), DeadLetters(snapshot), UnfoldedSince(snapshot));
    }

    /// <summary>The records, each counted where it is read.</summary>
    public static long Rows(Snapshot snapshot) =>
        snapshot.History.Rows + ZoneMap.Runs(snapshot, SeriesFilter.All, long.MinValue, long.MaxValue).Sum(r => r.Rows);

    private static DateTimeOffset? NewestRecord(Snapshot snapshot) =>
        snapshot.Database.Scalar("SELECT max(time) FROM latest") is { } time ? StoreTime.From(time) : null;

    // Of a run that is folded in part, only when its last row was written is known.
    private static DateTimeOffset? UnfoldedSince(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare("SELECT min(iif(first_row >= ?1, opened_at, written_at)) FROM block WHERE rows > 0 AND first_row + rows > ?1");
        return select.Bind(1, snapshot.History.NextRow).Step() && !select.IsNull(0) ? StoreTime.From(select.Long(0)) : null;
    }

    // All packs but the one that is being filled are about as large, and there may be very many.
    private static long HistoryBytes(Snapshot snapshot) => snapshot.Database.Scalar(
        "SELECT CAST((SELECT count(*) FROM pack) * (SELECT avg(length(data)) FROM (SELECT data FROM pack_data ORDER BY id DESC LIMIT 64)) AS INTEGER)") ?? 0;

    private static List<CheckpointRow> Checkpoints(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare("""
            SELECT topic, partition, topic_id, log_epoch, next_offset, owner_epoch, owner, updated_at FROM checkpoint ORDER BY topic, partition
            """);
        var checkpoints = new List<CheckpointRow>();
        while (select.Step())
        {
            checkpoints.Add(new CheckpointRow(select.Text(0), select.Int(1), Id(select.Text(2)), select.Int(3),
                select.Long(4), select.Long(5), select.Text(6), StoreTime.From(select.Long(7))));
        }
        return checkpoints;
    }

    private static List<GapRow> Gaps(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare($"""
            SELECT topic, partition, topic_id, log_epoch, from_offset, to_offset, reason, detected_at FROM gap ORDER BY id DESC LIMIT {GapsMax}
            """);
        var gaps = new List<GapRow>();
        while (select.Step())
        {
            gaps.Add(new GapRow(select.Text(0), select.Int(1), Id(select.Text(2)), select.Int(3),
                select.Long(4), select.Long(5), select.Text(6), StoreTime.From(select.Long(7))));
        }
        return gaps;
    }

    private static List<DeadLetterCount> DeadLetters(Snapshot snapshot)
    {
        using var select = snapshot.Database.Prepare("SELECT reason, sum(records), max(time) FROM dead_letter GROUP BY reason ORDER BY reason");
        var counts = new List<DeadLetterCount>();
        while (select.Step())
            counts.Add(new DeadLetterCount(select.Text(0), select.Long(1), StoreTime.From(select.Long(2))));
        return counts;
    }

    // Empty before a partition's first record.
    private static Guid Id(string text) => text.Length == 0 ? Guid.Empty : Guid.Parse(text);
}
