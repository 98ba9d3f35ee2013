using Telemetry.Storage.History;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Storage.Verifying;

/// <summary>
/// Decodes every chunk, and recounts the roll-ups of hours and minutes from the records. Records leave before their
/// roll-ups: roll-ups of more records than are left cannot be recounted, and are only counted.
/// </summary>
internal sealed class HourRecount
{
    private const double Tolerance = 1e-9;

    private readonly Findings _findings = new();
    private readonly ChunkReader _reader = new();
    private readonly GpuHour _rollup = new();
    private readonly Minutes _minutes = new();
    private readonly Minutes _recountedMinutes = new();
    private MetricTotals[] _recounted = [];
    private long[] _times = [];
    private double[] _values = [];
    private long _chunks;
    private long _records;
    private long _rollups;
    private long _notRecounted;

    private HourRecount()
    {
    }

    public static CheckResult Check(Database database)
    {
        var recount = new HourRecount();
        for (long? hour = long.MinValue; hour is { } next;)
            hour = Verification.InSnapshot(database, snapshot => recount.CheckNext(snapshot, next));
        return recount._findings.Of("chunks and roll-ups",
            $"{recount._records:N0} records in {recount._chunks:N0} chunks, {recount._rollups:N0} roll-ups of hours, {recount._notRecounted:N0} of them without all of their records");
    }

    /// <summary>Checks the first hour from one on.</summary>
    /// <returns>The hour after it; null where there is none.</returns>
    private long? CheckNext(Snapshot snapshot, long from)
    {
        using var next = snapshot.Database.Prepare("""
            SELECT min(hour) FROM (SELECT min(hour) AS hour FROM gpu_hour WHERE hour >= ?1
              UNION ALL SELECT min(hour) FROM chunk WHERE level = 0 AND hour >= ?1 UNION ALL SELECT min(hour) FROM chunk WHERE level = 1 AND hour >= ?1)
            """);
        if (!next.Bind(1, from).Step() || next.IsNull(0))
            return null;
        var hour = next.Long(0);
        next.Reset();
        _findings.AddRows(snapshot.Database, $"""
            SELECT DISTINCT c.gpu FROM chunk AS c WHERE c.level = 0 AND c.hour = {hour}
            AND NOT EXISTS (SELECT 1 FROM gpu_hour AS h WHERE h.hour = c.hour AND h.gpu = c.gpu)
            """,
            c => $"{Name(hour, c.Long(0))}: has records and no roll-up");
        using var series = new HourTable(snapshot.Database, SeriesFilter.All);
        using var latest = snapshot.Database.Prepare("SELECT time FROM latest WHERE gpu = ?1");
        series.Begin(hour);
        while (series.Read())
        {
            _rollups++;
            if (latest.Bind(1, series.Gpu).Step() && latest.Long(0) < series.LastTime)
                _findings.Add($"latest: series {series.Gpu} says {latest.Long(0)}, and hour {hour} has a record at {series.LastTime}");
            latest.Reset();
            try
            {
                CheckSeries(snapshot, series);
            }
            catch (StoreException error) when (Verification.IsFinding(error))
            {
                _findings.Add($"{Name(hour, series.Gpu)}: {error.Message}");
            }
        }
        return hour + 1;
    }

    private void CheckSeries(Snapshot snapshot, HourTable series)
    {
        var (hour, gpu, metrics) = (series.Hour, series.Gpu, snapshot.MetricIds.Count);
        if (_recounted.Length < metrics)
            _recounted = new MetricTotals[metrics];
        Array.Clear(_recounted);
        _recountedMinutes.Clear(hour, metrics);
        var (records, merged) = (0L, 0L);
        foreach (var entry in snapshot.Chunks.Of(ChunkLevel.Rows, hour, gpu))
        {
            Recount(snapshot, entry, metrics);
            records += entry.Rows;
            merged += entry.IsPart ? 0 : entry.Rows;
        }
        series.ReadTo(_rollup, metrics);
        if (records > series.Rows)
            _findings.Add($"{Name(hour, gpu)}: its roll-up says {series.Rows} records, and there are {records}");
        if (records < series.Rows)
            _notRecounted++;
        else
            Compare($"{Name(hour, gpu)}: its roll-up", _recounted, _rollup.Totals);
        CheckMinutes(snapshot, hour, gpu, merged);
    }

    /// <summary>Decodes all of a chunk, and adds its records to the totals.</summary>
    private void Recount(Snapshot snapshot, in ChunkEntry entry, int metrics)
    {
        _reader.Open(snapshot.Chunks.Bytes(entry));
        _chunks++;
        _records += entry.Rows;
        var name = $"{Name(entry.Hour, entry.Gpu)}, chunk {entry.Id}";
        if (_reader.Rows != entry.Rows)
            throw Chunk.Damaged($"{name} has {_reader.Rows} rows where the table says {entry.Rows}");
        if (_times.Length < _reader.Rows)
            (_times, _values) = (new long[_reader.Rows], new double[_reader.Rows]);
        var times = _times.AsSpan(0, _reader.Rows);
        _reader.ReadTimes(times);
        for (var i = 1; i < times.Length; i++)
        {
            if (times[i] < times[i - 1])
                throw Chunk.Damaged($"{name} is not sorted by time");
        }
        if ((times[0], times[^1]) != (entry.FirstTime, entry.LastTime))
            throw Chunk.Damaged($"{name} has times {times[0]} to {times[^1]} where the table says {entry.FirstTime} to {entry.LastTime}");
        if (Hours.Of(times[0]) != entry.Hour || Hours.Of(times[^1]) != entry.Hour)
            throw Chunk.Damaged($"{name} has times of other hours");
        if (!entry.IsPart)
            _recountedMinutes.AddTimes(times);
        foreach (var metric in _reader.Metrics)
        {
            if (metric >= metrics)
                throw Chunk.Damaged($"{name} has a metric {metric} that has no name");
            var values = _values.AsSpan(0, times.Length);
            _reader.Read(metric, values);
            for (var i = 0; i < values.Length; i++)
            {
                if (!double.IsNaN(values[i]))
                    _recounted[metric].Add(times[i], values[i]);
            }
            if (!entry.IsPart)
                _recountedMinutes.AddValues(metric, times, values);
        }
    }

    private void CheckMinutes(Snapshot snapshot, long hour, long gpu, long merged)
    {
        var metrics = snapshot.MetricIds.Count;
        var chunks = snapshot.Chunks.Of(ChunkLevel.Minutes, hour, gpu);
        if (chunks.Count > 1)
            _findings.Add($"{Name(hour, gpu)}: has its minutes {chunks.Count} times");
        if (chunks is not [var minutes])
            return;
        _chunks++;
        _reader.Open(snapshot.Chunks.Bytes(minutes));
        _minutes.Read(_reader, hour, metrics);
        var records = Enumerable.Range(0, Minutes.OfHour).Sum(_minutes.Rows);
        if (merged > records)
            _findings.Add($"{Name(hour, gpu)}: its minutes say {records} records, and there are {merged}");
        if (merged != records)
            return; // some have left
        for (var minute = 0; minute < Minutes.OfHour; minute++)
        {
            if (_minutes.Rows(minute) != _recountedMinutes.Rows(minute))
                _findings.Add($"{Name(hour, gpu)}: its minute {minute} says {_minutes.Rows(minute)} records and has {_recountedMinutes.Rows(minute)}");
        }
        for (var metric = 0; metric < metrics; metric++)
            Compare($"{Name(hour, gpu)}: its minutes, metric {metric}", _recountedMinutes.Totals(metric), _minutes.Totals(metric));
    }

    private void Compare(string what, ReadOnlySpan<MetricTotals> recounted, ReadOnlySpan<MetricTotals> kept)
    {
        for (var i = 0; i < recounted.Length; i++)
        {
            var (found, says) = (recounted[i], i < kept.Length ? kept[i] : default);
            if (!IsSame(found, says))
                _findings.Add($"{what} says for {i}: {Text(says)}; recounted: {Text(found)}");
        }
    }

    /// <summary>Sums were added in another order: they may differ by the rounding of what they are made of.</summary>
    private static bool IsSame(in MetricTotals a, in MetricTotals b) =>
        (a.Count, a.Min, a.Max, a.Last, a.LastTime) == (b.Count, b.Min, b.Max, b.Last, b.LastTime)
        && Math.Abs(a.Sum - b.Sum) <= Tolerance * Math.Max(Math.Abs(a.Sum), a.Count * Math.Max(Math.Abs(a.Min), Math.Abs(a.Max)));

    private static string Text(in MetricTotals totals) =>
        FormattableString.Invariant($"count {totals.Count}, sum {totals.Sum}, min {totals.Min}, max {totals.Max}, last {totals.Last} at {totals.LastTime}");

    private static string Name(long hour, long gpu) =>
        FormattableString.Invariant($"hour {StoreTime.From(Hours.Start(hour)).UtcDateTime:yyyy-MM-dd'T'HH'Z'}, series {gpu}");
}
