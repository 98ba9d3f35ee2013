namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>A function that a query may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Result">What it gives.</param>
/// <param name="Arguments">What it takes.</param>
/// <param name="ArgumentsMin">How many of them must be given.</param>
internal sealed record Function(string Name, ResultType Result, ResultType[] Arguments, int ArgumentsMin)
{
    private static readonly string[] OverRanges =
    [
        "rate", "increase", "delta", "irate", "idelta",
        "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time", "present_over_time",
    ];

    private static readonly string[] OverVectors = ["abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn"];

    private static readonly Dictionary<string, Function> All = new Function[]
    {
        new("time", ResultType.Scalar, [], 0),
        new("scalar", ResultType.Scalar, [ResultType.Vector], 1),
        new("timestamp", ResultType.Vector, [ResultType.Vector], 1),
        new("vector", ResultType.Vector, [ResultType.Scalar], 1),
        new("round", ResultType.Vector, [ResultType.Vector, ResultType.Scalar], 1),
        new("clamp_min", ResultType.Vector, [ResultType.Vector, ResultType.Scalar], 2),
        new("clamp_max", ResultType.Vector, [ResultType.Vector, ResultType.Scalar], 2),
    }
        .Concat(OverRanges.Select(name => new Function(name, ResultType.Vector, [ResultType.Matrix], 1)))
        .Concat(OverVectors.Select(name => new Function(name, ResultType.Vector, [ResultType.Vector], 1)))
        .ToDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>Functions that Prometheus has and this gateway has not.</summary>
    private static readonly HashSet<string> Elsewhere = new(StringComparer.Ordinal)
    {
        "absent", "absent_over_time", "acos", "acosh", "asin", "asinh", "atan", "atanh", "changes", "clamp", "cos", "cosh", "day_of_month", "day_of_week",
        "day_of_year", "days_in_month", "deg", "deriv", "double_exponential_smoothing", "histogram_avg", "histogram_count", "histogram_fraction",
        "histogram_quantile", "histogram_stddev", "histogram_stdvar", "histogram_sum", "holt_winters", "hour", "info", "label_join", "label_replace",
        "mad_over_time", "minute", "month", "pi", "predict_linear", "quantile_over_time", "rad", "resets", "sin", "sinh", "sort", "sort_by_label",
        "sort_by_label_desc", "sort_desc", "stddev_over_time", "stdvar_over_time", "tan", "tanh", "ts_of_last_over_time",
        "ts_of_max_over_time", "ts_of_min_over_time", "first_over_time", "year",
    };

    /// <summary>The names of all functions.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>A function by its name; null for none.</summary>
    public static Function? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>Whether Prometheus has it.</summary>
    public static bool IsElsewhere(string name) => Elsewhere.Contains(name);

    /// <summary>The ways to put series together, and whether they take a number before them.</summary>
    public static readonly IReadOnlyDictionary<string, bool> Aggregations = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase)
    {
        ["sum"] = false,
        ["avg"] = false,
        ["min"] = false,
        ["max"] = false,
        ["count"] = false,
        ["group"] = false,
        ["topk"] = true,
        ["bottomk"] = true,
    };

    /// <summary>Those that Prometheus has and this gateway has not.</summary>
    public static readonly IReadOnlySet<string> AggregationsElsewhere =
        new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "stddev", "stdvar", "quantile", "count_values", "limitk", "limit_ratio" };
}
