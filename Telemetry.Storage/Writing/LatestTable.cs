using System.Runtime.InteropServices;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Writing;

/// <summary>The newest record of each series, collected over a transaction and written once a series.</summary>
internal sealed class LatestTable(Database database) : IDisposable
{
    // Rows that come later have larger keys, so among equal times the new one wins.
    private readonly Statement _upsert = database.Prepare("""
        INSERT INTO latest (gpu, time, row_id, first_time, last_row, written_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (gpu) DO UPDATE SET
          metrics = CASE WHEN excluded.time >= time THEN NULL ELSE metrics END,
          row_id = CASE WHEN excluded.time >= time THEN excluded.row_id ELSE row_id END,
          time = max(time, excluded.time),
          first_time = min(first_time, excluded.first_time),
          last_row = excluded.last_row,
          written_at = excluded.written_at
        """);

    private readonly Dictionary<long, Extent> _extents = [];

    /// <summary>What a run of rows says of one series.</summary>
    /// <param name="Time">The latest time.</param>
    /// <param name="Row">The last row that has it.</param>
    /// <param name="FirstTime">The earliest time.</param>
    /// <param name="LastRow">The last row.</param>
    public record struct Extent(long Time, long Row, long FirstTime, long LastRow)
    {
        /// <summary>Of no rows.</summary>
        public static readonly Extent None = new(long.MinValue, 0, long.MaxValue, 0);

        /// <summary>Adds a row that was written after those before.</summary>
        public void Add(long time, long row)
        {
            if (time >= Time)
                (Time, Row) = (time, row);
            if (time < FirstTime)
                FirstTime = time;
            LastRow = row;
        }
    }

    /// <summary>Adds what a later run says.</summary>
    public void Add(long series, in Extent extent)
    {
        if (extent.LastRow == 0)
            return;
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_extents, series, out var exists);
        if (!exists)
        {
            known = extent;
            return;
        }
        if (extent.Time >= known.Time)
            (known.Time, known.Row) = (extent.Time, extent.Row);
        known.FirstTime = Math.Min(known.FirstTime, extent.FirstTime);
        known.LastRow = extent.LastRow;
    }

    /// <summary>Writes what was added, in the order of the table.</summary>
    public void Flush(long now)
    {
        foreach (var (series, extent) in _extents.OrderBy(e => e.Key))
        {
            _upsert.Bind(1, series).Bind(2, extent.Time).Bind(3, extent.Row).Bind(4, extent.FirstTime).Bind(5, extent.LastRow)
                .Bind(6, now).Run();
        }
        _extents.Clear();
    }

    public void RolledBack() => _extents.Clear();

    public void Dispose() => _upsert.Dispose();
}
