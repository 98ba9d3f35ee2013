using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>Counts rows, without reading those that certainly match.</summary>
internal sealed class RowCounts(Snapshot snapshot, SeriesFilter filter)
{
    /// <summary>The rows with times in [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public long Count(long start, long end) => filter.IsEmpty ? 0 : Plain(start, end) + Folded(start, end);

    private long Plain(long start, long end)
    {
        using var count = snapshot.Database.Prepare(
            $"SELECT count(*) FROM sample WHERE row_id BETWEEN ?1 AND ?2 AND time >= ?3 AND time < ?4{filter.Clause}");
        var total = 0L;
        foreach (var run in ZoneMap.Runs(snapshot, filter, start, end))
        {
            if (ReferenceEquals(filter, SeriesFilter.All) && run.IsWithin(start, end))
            {
                total += run.Rows;
                continue;
            }
            count.Bind(1, run.FirstRow).Bind(2, run.LastRow).Bind(3, start).Bind(4, end);
            count.Step();
            total += count.Long(0);
            count.Reset();
        }
        return total;
    }

    private long Folded(long start, long end)
    {
        if (ReferenceEquals(filter, SeriesFilter.All) && start == long.MinValue && end == long.MaxValue)
            return snapshot.History.Rows;
        var (first, last) = (Math.Max(start, filter.MinTime), Math.Min(end - 1, filter.MaxTime));
        var rows = new ChunkRows(snapshot.Chunks, []);
        var total = 0L;
        foreach (var hour in snapshot.Chunks.Hours(ChunkLevel.Rows, Hours.Of(first), Hours.Of(last)))
        {
            foreach (var chunk in snapshot.Chunks.Of(ChunkLevel.Rows, hour, filter))
            {
                if (chunk.IsWithin(start, end))
                {
                    total += chunk.Rows;
                }
                else if (chunk.Overlaps(start, end))
                {
                    rows.Open(chunk);
                    total += rows.Within(start, end).GetOffsetAndLength(chunk.Rows).Length;
                }
            }
        }
        return total;
    }
}
