using System.Runtime.InteropServices;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Writing;

namespace Telemetry.Storage.Verifying;

/// <summary>The plain rows against the zone map and the newest record of each series.</summary>
internal static class PlainRows
{
    private record struct Run(long FirstRow, long EndRow, long Rows, long MinTime, long MaxTime);

    public static CheckResult Check(Sqlite.Database database) => Verification.InSnapshot(database, snapshot =>
    {
        var findings = new Findings();
        var runs = Runs(snapshot, findings);
        var (rows, series) = CheckRuns(snapshot, runs, findings);
        var latest = CheckLatest(snapshot, series, findings);
        if (runs.Count > 0 && snapshot.History.NextRow > runs[^1].EndRow)
            findings.Add($"history: rows before {snapshot.History.NextRow} are folded, and the last one is {runs[^1].EndRow - 1}");
        return findings.Of("rows, zone map and latest", $"{rows:N0} plain rows in {runs.Count:N0} runs, {latest:N0} series");
    });

    private static List<Run> Runs(Snapshot snapshot, Findings findings)
    {
        var runs = new List<Run>();
        using var select = snapshot.Database.Prepare("SELECT first_row, first_row + rows, rows, min_time, max_time FROM block ORDER BY first_row");
        while (select.Step())
        {
            var run = new Run(select.Long(0), select.Long(1), select.Long(2), select.Long(3), select.Long(4));
            if (runs.Count > 0 && run.FirstRow < runs[^1].EndRow)
                findings.Add($"zone map: the run from row {run.FirstRow} overlaps the one before it");
            runs.Add(run);
        }
        return runs;
    }

    /// <returns>The rows, and what they say of each series.</returns>
    private static (long Rows, Dictionary<long, LatestTable.Extent> Series) CheckRuns(Snapshot snapshot, List<Run> runs, Findings findings)
    {
        var series = new Dictionary<long, LatestTable.Extent>();
        var found = new Run(0, 0, 0, long.MaxValue, long.MinValue);
        var (rows, index) = (0L, 0);
        using var select = snapshot.Database.Prepare("SELECT row_id, time, gpu FROM sample ORDER BY row_id");
        while (select.Step())
        {
            var (row, time, gpu) = (select.Long(0), select.Long(1), select.Long(2));
            rows++;
            ref var extent = ref CollectionsMarshal.GetValueRefOrAddDefault(series, gpu, out var exists);
            if (!exists)
                extent = LatestTable.Extent.None;
            extent.Add(time, row);
            while (index < runs.Count && row >= runs[index].EndRow)
                Next();
            if (index == runs.Count || row < runs[index].FirstRow)
                findings.Add($"zone map: row {row} is in no run");
            else
                found = found with { Rows = found.Rows + 1, MinTime = Math.Min(found.MinTime, time), MaxTime = Math.Max(found.MaxTime, time) };
        }
        while (index < runs.Count)
            Next();
        return (rows, series);

        void Next()
        {
            var run = runs[index++];
            if (run.Rows != found.Rows)
                findings.Add($"zone map: the run from row {run.FirstRow} says {run.Rows} rows and has {found.Rows}");
            else if (run.Rows > 0 && (run.MinTime, run.MaxTime) != (found.MinTime, found.MaxTime))
                findings.Add($"zone map: the run from row {run.FirstRow} says times {run.MinTime} to {run.MaxTime} and has {found.MinTime} to {found.MaxTime}");
            found = new Run(0, 0, 0, long.MaxValue, long.MinValue);
        }
    }

    private static long CheckLatest(Snapshot snapshot, Dictionary<long, LatestTable.Extent> series, Findings findings)
    {
        var count = 0L;
        using var select = snapshot.Database.Prepare("""
            SELECT l.gpu, l.time, l.row_id, l.first_time, l.last_row, l.metrics IS NULL, g.id IS NULL, s.time, s.gpu
            FROM latest AS l LEFT JOIN gpu AS g ON g.id = l.gpu LEFT JOIN sample AS s ON s.row_id = l.row_id
            """);
        for (; select.Step(); count++)
        {
            var (gpu, time, row) = (select.Long(0), select.Long(1), select.Long(2));
            if (select.Long(6) != 0)
                findings.Add($"latest: series {gpu} has no identity");
            if (select.IsNull(7) ? select.Long(5) != 0 : (select.Long(7), select.Long(8)) != (time, gpu))
                findings.Add($"latest: series {gpu} names row {row}, which is not there or another's, and has no values of its own");
            if (!series.Remove(gpu, out var extent))
                continue;
            // Rows that have left were the newest, or the earliest, where the plain ones are not.
            var isNewest = select.IsNull(7) ? (time, row).CompareTo((extent.Time, extent.Row)) >= 0 : (time, row) == (extent.Time, extent.Row);
            if (!isNewest)
                findings.Add($"latest: series {gpu} says row {row} at {time}, and its newest row is {extent.Row} at {extent.Time}");
            if (select.Long(3) > extent.FirstTime || select.Long(4) < extent.LastRow)
                findings.Add($"latest: series {gpu} says first time {select.Long(3)} and last row {select.Long(4)}, and has {extent.FirstTime} and {extent.LastRow}");
        }
        foreach (var gpu in series.Keys)
            findings.Add($"latest: series {gpu} has rows and is not there");
        return count;
    }
}
