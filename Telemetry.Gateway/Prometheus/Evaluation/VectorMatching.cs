using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>An operator between two vectors: which of their series meet.</summary>
internal sealed class VectorMatching(Binary binary, Budget budget)
{
    private readonly Matching _matching = binary.Matching;

    /// <summary>Arithmetic and comparisons: each series on one side meets one at most on the other.</summary>
    public IEnumerable<Series> Pair(IEnumerable<Series> left, IEnumerable<Series> right)
    {
        var others = new Dictionary<Labels, double[]>();
        Labels?[]? twice = null; // by step, where the right side has a key more than once: an error only where the left side has anything
        foreach (var series in right)
        {
            var key = KeyOf(series.Labels);
            if (!others.TryGetValue(key, out var points))
            {
                others.Add(key, Keep(series.Points));
                continue;
            }
            for (var i = 0; i < points.Length; i++)
            {
                if (Point.IsThere(points[i]) && Point.IsThere(series.Points[i]))
                    (twice ??= new Labels?[points.Length])[i] ??= key;
                else if (Point.IsThere(series.Points[i]))
                    points[i] = series.Points[i];
            }
        }
        var used = new Dictionary<Labels, double[]>();
        var keepsName = binary.IsComparison && !binary.IsBool;
        var compare = keepsName ? Operators.Comparison(binary.Operator) : null;
        var compute = keepsName ? null : binary.IsComparison ? Evaluator.Truth(binary.Operator) : Operators.Arithmetic(binary.Operator);
        foreach (var series in left)
        {
            var key = KeyOf(series.Labels);
            var points = series.Points;
            for (var i = 0; twice is not null && i < points.Length; i++)
            {
                if (twice[i] is { } doubled && Point.IsThere(points[i]))
                    throw PromQlException.Impossible(Twice(doubled, "right"));
            }
            if (!others.TryGetValue(key, out var other))
                continue;
            for (var i = 0; i < points.Length; i++)
            {
                if (!Point.IsThere(points[i]) || !Point.IsThere(other[i]))
                    points[i] = Point.None;
            }
            if (!used.TryGetValue(key, out var before))
                used.Add(key, Keep([.. points]));
            else
                Evaluator.Merge(before, points, () => Twice(key, "left"));
            for (var i = 0; i < points.Length; i++)
            {
                if (Point.IsThere(points[i]))
                    points[i] = compute is not null ? compute(points[i], other[i]) : compare!(points[i], other[i]) ? points[i] : Point.None;
            }
            var labels = keepsName ? series.Labels : series.Labels.WithoutName();
            yield return new Series(_matching.IsOn ? labels.Only(_matching.Labels) : labels.Without(_matching.Labels), points);
        }
    }

    /// <summary>and, or, unless: series by whether the other side has one of the same labels.</summary>
    public IEnumerable<Series> Combine(IEnumerable<Series> left, IEnumerable<Series> right, int steps)
    {
        var isOr = binary.Operator == "or";
        var (first, second) = isOr ? (left, right) : (right, left);
        // Where the first side has a series of the key.
        var present = new Dictionary<Labels, bool[]>();
        foreach (var series in first)
        {
            var key = KeyOf(series.Labels);
            if (!present.TryGetValue(key, out var where))
            {
                budget.Keep(steps);
                present.Add(key, where = new bool[steps]);
            }
            for (var i = 0; i < steps; i++)
                where[i] |= Point.IsThere(series.Points[i]);
            if (isOr)
                yield return series;
        }
        var wanted = binary.Operator == "and";
        foreach (var series in second)
        {
            var where = present.GetValueOrDefault(KeyOf(series.Labels));
            for (var i = 0; i < steps; i++)
            {
                if ((where is not null && where[i]) != wanted)
                    series.Points[i] = Point.None;
            }
            yield return series;
        }
    }

    private Labels KeyOf(Labels labels) => _matching.IsOn ? labels.Only(_matching.Labels) : labels.Without([.. _matching.Labels, Labels.Name]);

    private double[] Keep(double[] points)
    {
        budget.Keep(points.Length);
        return points;
    }

    private static string Twice(Labels key, string side) =>
        $"many-to-many or many-to-one matching: more than one series on the {side} hand-side of the operation matches {key}; group_left and group_right are not supported here";
}
