namespace Telemetry.Storage.Queries;

/// <summary>Count, sum, minimum, maximum and newest of a metric's values, added in the order of their writing.</summary>
internal struct MetricTotals
{
    public MetricTotals(long count, double sum, double min, double max, double last, long lastTime) =>
        (Count, Sum, Min, Max, Last, LastTime) = (count, sum, min, max, last, lastTime);

    public long Count { get; private set; }

    public double Sum { get; private set; }

    public double Min { get; private set; }

    public double Max { get; private set; }

    public double Last { get; private set; }

    /// <summary>The time of <see cref="Last"/>, milliseconds.</summary>
    public long LastTime { get; private set; }

    public void Add(long time, double value)
    {
        if (Count++ == 0)
        {
            (Sum, Min, Max, Last, LastTime) = (value, value, value, value, time);
            return;
        }
        Sum += value;
        if (value < Min)
            Min = value;
        if (value > Max)
            Max = value;
        if (time >= LastTime)
            (Last, LastTime) = (value, time);
    }

    /// <summary>Adds the totals of values that were written later; among equal times theirs is the newest.</summary>
    public void Add(in MetricTotals later)
    {
        if (later.Count == 0)
            return;
        if (Count == 0)
        {
            this = later;
            return;
        }
        Count += later.Count;
        Sum += later.Sum;
        Min = Math.Min(Min, later.Min);
        Max = Math.Max(Max, later.Max);
        if (later.LastTime >= LastTime)
            (Last, LastTime) = (later.Last, later.LastTime);
    }

    /// <summary>Those of the metrics that have values.</summary>
    public static IReadOnlyList<MetricAggregate> Aggregates(IReadOnlyList<string> metrics, MetricTotals[] totals) =>
        [.. metrics.Zip(totals).Where(m => m.Second.Count > 0)
            .Select(m => new MetricAggregate(m.First, m.Second.Count, m.Second.Sum, m.Second.Min, m.Second.Max, m.Second.Last))];
}
