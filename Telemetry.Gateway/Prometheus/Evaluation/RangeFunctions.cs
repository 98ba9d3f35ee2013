namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>The samples of a window (start, end], with at least one.</summary>
internal readonly ref struct Window(ReadOnlySpan<long> times, ReadOnlySpan<double> values, long start, long end)
{
    public ReadOnlySpan<long> Times { get; } = times;

    public ReadOnlySpan<double> Values { get; } = values;

    public long Start { get; } = start;

    public long End { get; } = end;
}

/// <summary>Functions of a range of samples, as Prometheus computes them.</summary>
internal static class RangeFunctions
{
    public delegate double Evaluate(in Window window);

    /// <summary>A function by its name.</summary>
    public static Evaluate Find(string name) => name switch
    {
        "rate" => static (in w) => Extrapolated(w, isCounter: true, isRate: true),
        "increase" => static (in w) => Extrapolated(w, isCounter: true, isRate: false),
        "delta" => static (in w) => Extrapolated(w, isCounter: false, isRate: false),
        "irate" => static (in w) => Instant(w, isRate: true),
        "idelta" => static (in w) => Instant(w, isRate: false),
        "avg_over_time" => static (in w) => Sum(w.Values) / w.Values.Length,
        "sum_over_time" => static (in w) => Sum(w.Values),
        "min_over_time" => static (in w) => Least(w.Values, sign: 1),
        "max_over_time" => static (in w) => -Least(w.Values, sign: -1),
        "count_over_time" => static (in w) => w.Values.Length,
        "last_over_time" => static (in w) => w.Values[^1],
        "present_over_time" => static (in _) => 1,
        _ => throw new ArgumentException(name, nameof(name)),
    };

    /// <summary>
    /// How much a counter or gauge changed in the window. The change between the first and the last sample is extended to the
    /// window's ends where these are near (1.1 of the samples' average distance), otherwise by half of that distance, and a
    /// counter not to before it was 0.
    /// </summary>
    private static double Extrapolated(in Window window, bool isCounter, bool isRate)
    {
        var times = window.Times;
        var values = window.Values;
        if (times.Length < 2)
            return Point.None;
        var change = values[^1] - values[0];
        for (var i = 1; isCounter && i < values.Length; i++)
        {
            if (values[i] < values[i - 1])
                change += values[i - 1]; // it began anew
        }
        var toStart = (times[0] - window.Start) / 1000.0;
        var toEnd = (window.End - times[^1]) / 1000.0;
        var sampled = (times[^1] - times[0]) / 1000.0;
        var between = sampled / (times.Length - 1);
        var near = between * 1.1;
        if (toStart >= near)
            toStart = between / 2;
        if (isCounter && change > 0 && values[0] >= 0)
            toStart = Math.Min(toStart, sampled * (values[0] / change));
        if (toEnd >= near)
            toEnd = between / 2;
        var factor = (sampled + toStart + toEnd) / sampled;
        if (isRate)
            factor /= (window.End - window.Start) / 1000.0;
        return change * factor;
    }

    /// <summary>From the last sample but one to the last.</summary>
    private static double Instant(in Window window, bool isRate)
    {
        var times = window.Times;
        var values = window.Values;
        if (times.Length < 2)
            return Point.None;
        var change = isRate && values[^1] < values[^2] ? values[^1] : values[^1] - values[^2];
        return isRate ? change / ((times[^1] - times[^2]) / 1000.0) : change;
    }

    /// <summary>The sum with the rounding errors made good (Kahan, Neumaier).</summary>
    private static double Sum(ReadOnlySpan<double> values)
    {
        var (sum, lost) = (0.0, 0.0);
        foreach (var value in values)
        {
            var next = sum + value;
            lost += Math.Abs(sum) >= Math.Abs(value) ? sum - next + value : value - next + sum;
            sum = next;
        }
        return double.IsFinite(lost) ? sum + lost : sum;
    }

    private static double Least(ReadOnlySpan<double> values, double sign)
    {
        var least = sign * values[0];
        foreach (var value in values)
            least = Math.Min(least, sign * value); // the store has no NaN
        return least;
    }
}
