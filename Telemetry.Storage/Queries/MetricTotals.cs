namespace Telemetry.Storage.Queries;

/// <summary>Count, sum, minimum, maximum and newest of a metric's values, added in the order of their writing.</summary>
internal struct MetricTotals
{
    private long _lastTime;

    public long Count { get; private set; }

    public double Sum { get; private set; }

    public double Min { get; private set; }

    public double Max { get; private set; }

    public double Last { get; private set; }

    public void Add(long time, double value)
    {
        if (Count++ == 0)
        {
            (Sum, Min, Max, Last, _lastTime) = (value, value, value, value, time);
            return;
        }
        Sum += value;
        if (value < Min)
            Min = value;
        if (value > Max)
            Max = value;
        if (time >= _lastTime)
            (Last, _lastTime) = (value, time);
    }

    /// <summary>Those of the metrics that have values.</summary>
    public static IReadOnlyList<MetricAggregate> Aggregates(IReadOnlyList<string> metrics, MetricTotals[] totals) =>
        [.. metrics.Zip(totals).Where(m => m.Second.Count > 0)
            .Select(m => new MetricAggregate(m.First, m.Second.Count, m.Second.Sum, m.Second.Min, m.Second.Max, m.Second.Last))];
}
