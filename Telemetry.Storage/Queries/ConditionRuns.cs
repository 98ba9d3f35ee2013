using Telemetry.Storage.History;

namespace Telemetry.Storage.Queries;

/// <summary>
/// Since when conditions have been fulfilled. It goes back from the newest record: through the plain rows, then from hour to
/// hour by roll-ups, and looks at the records of an hour only where its smallest and largest value do not decide.
/// </summary>
internal sealed class ConditionRuns
{
    private sealed class Run
    {
        public long Since { get; private set; } = long.MaxValue;

        public long Broken { get; private set; } = long.MinValue;

        /// <summary>Hours of series whose every value fulfils the condition; where the first of them lies is looked for at the end.</summary>
        public List<(long Hour, long Series, long FirstTime, long Rows)> Held { get; } = [];

        /// <summary>Before this, records have left by age and what is left of them does not tell.</summary>
        public long Cut { get; private set; } = long.MinValue;

        /// <summary>Whether the beginning is lost: a record against the condition came after later ones that fulfil it.</summary>
        public bool IsUnsure { get; private set; }

        private long _newest = long.MinValue;

        public void Add(long time, bool holds)
        {
            if (holds)
            {
                _newest = Math.Max(_newest, time);
                if (time > Broken)
                    Since = Math.Min(Since, time);
            }
            else if (time > Broken)
            {
                Broken = time;
                IsUnsure |= Since <= time && _newest > time;
                if (Since <= time)
                    Since = long.MaxValue;
            }
        }

        /// <summary>Says that nothing is known before a time.</summary>
        public void CutAt(long time)
        {
            if (time > Broken)
                Cut = time;
            Add(time, false);
        }

        /// <summary>Begins anew, with the break that is known.</summary>
        public void BeginAgain()
        {
            (Since, _newest, IsUnsure) = (long.MaxValue, long.MinValue, false);
            Held.Clear();
        }
    }

    /// <summary>A run that records of a series belong to.</summary>
    private sealed record Part(int Query, MetricCondition Condition, Run Run);

    private readonly Snapshot _snapshot;
    private readonly IReadOnlyList<ConditionQuery> _queries;
    private readonly Dictionary<long, List<Part>> _series = [];
    private readonly Dictionary<GpuKey, Run>[] _runs;
    private readonly long _start;
    private readonly long _end;

    private ConditionRuns(Snapshot snapshot, IReadOnlyList<ConditionQuery> queries, TimeRange range)
    {
        (_snapshot, _queries) = (snapshot, queries);
        (_start, _end) = (StoreTime.Ceiling(range.Start), StoreTime.Ceiling(range.End));
        _runs = [.. queries.Select(q => q.Gpus.Distinct().ToDictionary(g => g, _ => new Run()))];
    }

    /// <summary>For each query the GPUs that fulfil it by their newest record of the range that has the metric.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<GpuKey, ConditionRun>> Of(Snapshot snapshot, IReadOnlyList<ConditionQuery> queries, TimeRange range)
    {
        var runs = new ConditionRuns(snapshot, queries, range);
        runs.Add(_ => true);
        // Rare. Now that the last break is known, none comes after what follows it.
        if (runs.All.Where(r => r.IsUnsure).ToHashSet() is { Count: > 0 } unsure)
        {
            foreach (var run in unsure)
                run.BeginAgain();
            runs.Add(unsure.Contains);
        }
        return [.. runs._runs.Select(of => of.Where(r => r.Value.Since != long.MaxValue).ToDictionary(
            r => r.Key, r => new ConditionRun(StoreTime.From(r.Value.Since), r.Value.Broken == r.Value.Cut)))];
    }

    private IEnumerable<Run> All => _runs.SelectMany(r => r.Values);

    private void Add(Func<Run, bool> wanted)
    {
        FindSeries(wanted);
        AddPlain();
        AddHistory();
    }

    private void FindSeries(Func<Run, bool> wanted)
    {
        _series.Clear();
        using var select = _snapshot.Database.Prepare(
            "SELECT g.id, g.host_id, g.gpu_id FROM latest AS l JOIN gpu AS g ON g.id = l.gpu WHERE l.time >= ?1 AND l.first_time < ?2");
        select.Bind(1, _start).Bind(2, _end);
        while (select.Step())
        {
            var gpu = new GpuKey(select.Text(1), select.Text(2));
            var parts = new List<Part>();
            for (var i = 0; i < _runs.Length; i++)
            {
                if (_runs[i].TryGetValue(gpu, out var run) && wanted(run))
                    parts.Add(new Part(i, _queries[i].Condition, run));
            }
            if (parts.Count > 0)
                _series.Add(select.Long(0), parts);
        }
    }

    private void AddPlain()
    {
        var metrics = _snapshot.MetricsAmong(_queries.Select(q => q.Condition.Metric));
        if (metrics.Count == 0 || _series.Count == 0)
            return;
        var columns = _queries.Select(q => metrics.ToList().IndexOf(q.Condition.Metric)).ToArray();
        using var scan = new SampleScan(_snapshot, SeriesFilter.All, _start, _end, metrics);
        while (scan.Read())
        {
            if (!_series.TryGetValue(scan.Series, out var parts))
                continue;
            foreach (var part in parts)
            {
                if (columns[part.Query] >= 0 && scan.TryGet(columns[part.Query], out var value))
                    part.Run.Add(scan.Time, part.Condition.Holds(value));
            }
        }
    }

    private void AddHistory()
    {
        var ids = _queries.Select(q => _snapshot.MetricIds.Of(q.Condition.Metric)).ToArray();
        var rows = new ChunkRows(_snapshot.Chunks, ids);
        var rollup = new GpuHour();
        using var hours = new HourTable(_snapshot.Database, SeriesFilter.All);
        foreach (var hour in hours.Hours(Hours.Of(_start), Hours.Of(_end - 1)).Reverse())
        {
            // What lies before a break says nothing. A plain row may have come late, and be older than folded ones.
            foreach (var parts in _series.Values)
                parts.RemoveAll(p => ids[p.Query] < 0 || p.Run.Broken >= Hours.End(hour));
            foreach (var (series, parts) in _series)
            {
                if (parts.Count == 0 || !hours.TryRead(hour, series, _snapshot.MetricIds.Count, rollup))
                    continue;
                var unclear = new List<Part>();
                foreach (var part in parts)
                {
                    var totals = rollup.Totals[ids[part.Query]];
                    if (totals.Count == 0)
                        continue;
                    var isWithin = rollup.FirstTime >= _start && rollup.LastTime < _end;
                    switch (isWithin ? part.Condition.HoldsBetween(totals.Min, totals.Max) : null)
                    {
                        case true:
                            part.Run.Held.Add((hour, series, rollup.FirstTime, rollup.Rows));
                            break;
                        case false:
                            part.Run.Add(totals.LastTime, false);
                            break;
                        default:
                            unclear.Add(part);
                            break;
                    }
                }
                if (unclear.Count > 0 && AddRecords(rows, hour, series, unclear) < rollup.Rows)
                    unclear.ForEach(part => part.Run.CutAt(rollup.LastTime));
            }
        }
        for (var i = 0; i < _queries.Count; i++)
        {
            foreach (var run in _runs[i].Values)
                FindBeginning(rows, new Part(i, _queries[i].Condition, run));
        }
    }

    // Of the hours that fulfil it wholly only the oldest that is not before a break has to be read.
    private void FindBeginning(ChunkRows rows, Part part)
    {
        foreach (var hour in part.Run.Held.Where(h => Hours.End(h.Hour) > part.Run.Broken).GroupBy(h => h.Hour).OrderBy(h => h.Key))
        {
            foreach (var (_, series, firstTime, count) in hour)
            {
                if (AddRecords(rows, hour.Key, series, [part]) < count)
                    part.Run.Add(firstTime, true);
            }
            if (part.Run.Since < Hours.End(hour.Key))
                break;
        }
    }

    /// <summary>Adds the records of an hour.</summary>
    /// <returns>How many records of the hour there are, in the range or not; fewer than were folded where some have left by age.</returns>
    private long AddRecords(ChunkRows rows, long hour, long series, List<Part> parts)
    {
        var there = 0L;
        foreach (var chunk in _snapshot.Chunks.Of(ChunkLevel.Rows, hour, series))
        {
            there += chunk.Rows;
            if (!chunk.Overlaps(_start, _end))
                continue;
            rows.Open(chunk);
            var (first, count) = rows.Within(_start, _end).GetOffsetAndLength(chunk.Rows);
            foreach (var part in parts)
            {
                var values = rows.Values(part.Query);
                for (var i = first; i < first + count; i++)
                {
                    if (!double.IsNaN(values[i]))
                        part.Run.Add(rows.Times[i], part.Condition.Holds(values[i]));
                }
            }
        }
        return there;
    }
}
