using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Writing;

/// <summary>
/// The zone map. A transaction's rows become one run, or several of at most <paramref name="rowsMax"/>; runs of small
/// transactions are joined, so that their number stays in proportion to the rows. Everything happens inside the
/// write transaction, so that it holds with several processes.
/// </summary>
/// <param name="database">The file.</param>
/// <param name="rowsMax">The most rows in a run: what a query sorts at a time, and what retention deletes in one transaction.</param>
/// <param name="smallRows">A run of fewer rows is extended by the next transaction.</param>
internal sealed class BlockTable(Database database, int rowsMax, int smallRows) : IDisposable
{
    /// <summary>A run that was begun longer ago than this is not extended, so that on a quiet store rows leave in time.</summary>
    public static readonly TimeSpan OpenMax = TimeSpan.FromMinutes(10);

    private readonly Statement _last = database.Prepare(
        "SELECT first_row, rows, min_time, max_time, opened_at FROM block ORDER BY first_row DESC LIMIT 1");

    // REPLACE: the run of 0 rows that retention leaves at the end has the key of the next one.
    private readonly Statement _insert = database.Prepare(
        "INSERT OR REPLACE INTO block (first_row, rows, min_time, max_time, opened_at, written_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

    private Run _open;

    private record struct Run(long FirstRow, long Rows, long MinTime, long MaxTime, long OpenedAt);

    /// <summary>Reads where the next row goes. First in a transaction.</summary>
    /// <returns>The key of the next row.</returns>
    public long Begin(long now)
    {
        _open = new Run(1, 0, long.MaxValue, long.MinValue, now);
        if (_last.Step())
        {
            var last = new Run(_last.Long(0), _last.Long(1), _last.Long(2), _last.Long(3), _last.Long(4));
            _last.Reset();
            // The clock may have gone back: then the age is negative and says nothing.
            var isYoung = now - last.OpenedAt < (long)OpenMax.TotalMilliseconds;
            _open = last.Rows > 0 && last.Rows < smallRows && isYoung ? last : _open with { FirstRow = last.FirstRow + last.Rows };
        }
        return _open.FirstRow + _open.Rows;
    }

    /// <summary>Rows that still fit into the run at hand; when it is full, writes it and begins another.</summary>
    public int Room(long now)
    {
        if (_open.Rows >= rowsMax)
        {
            Flush(now);
            _open = new Run(_open.FirstRow + _open.Rows, 0, long.MaxValue, long.MinValue, now);
        }
        return (int)(rowsMax - _open.Rows);
    }

    /// <summary>Adds rows to the run at hand, at most <see cref="Room"/>.</summary>
    public void Add(int rows, long minTime, long maxTime)
    {
        _open.Rows += rows;
        _open.MinTime = Math.Min(_open.MinTime, minTime);
        _open.MaxTime = Math.Max(_open.MaxTime, maxTime);
    }

    /// <summary>Writes the run at hand.</summary>
    public void Flush(long now)
    {
        if (_open.Rows == 0)
            return;
        _insert.Bind(1, _open.FirstRow).Bind(2, _open.Rows).Bind(3, _open.MinTime).Bind(4, _open.MaxTime)
            .Bind(5, _open.OpenedAt).Bind(6, now).Run();
    }

    public void Dispose()
    {
        _last.Dispose();
        _insert.Dispose();
    }
}
