using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>
/// Evaluates an expression at some instants. Vectors are streams of series: what an aggregation does not need any more is
/// gone before the next series is read.
/// </summary>
internal sealed class Evaluator
{
    private readonly Steps _steps;
    private readonly Budget _budget;
    private readonly Selectors _selectors;

    /// <param name="reader">The samples; null for none.</param>
    /// <param name="steps">The instants.</param>
    /// <param name="budget">What the query may use.</param>
    public Evaluator(SampleReader? reader, Steps steps, Budget budget)
    {
        (_steps, _budget) = (steps, budget);
        _selectors = new Selectors(reader, steps, budget);
    }

    /// <summary>The series of a vector, all at once. A series may come in parts with other times.</summary>
    /// <exception cref="PromQlException">Two have the same labels at the same time, or there are too many.</exception>
    public IReadOnlyList<Series> Collect(Expression expression)
    {
        var all = new Dictionary<Labels, Series>();
        var ordered = new List<Series>();
        foreach (var series in Vector(expression))
        {
            if (all.TryGetValue(series.Labels, out var first))
            {
                Merge(first.Points, series.Points, () => "vector cannot contain metrics with the same labelset");
            }
            else if (Array.Exists(series.Points, Point.IsThere))
            {
                _budget.Keep(series.Points.Length);
                all.Add(series.Labels, series);
                ordered.Add(series);
            }
        }
        return ordered;
    }

    /// <summary>The samples that a range selector selects at the first instant.</summary>
    public IReadOnlyList<(Labels Labels, long[] Times, double[] Values)> Samples(Selector selector) => [.. _selectors.Samples(selector)];

    /// <summary>The values of a scalar, one for each instant.</summary>
    public double[] Scalar(Expression expression)
    {
        switch (expression)
        {
            case NumberLiteral number:
                return Constant(number.Value);
            case Negation negation:
                return Array.ConvertAll(Scalar(negation.Of), v => -v);
            case Binary binary:
                var (left, right) = (Scalar(binary.Left), Scalar(binary.Right));
                Func<double, double, double> op = binary.IsComparison ? Truth(binary.Operator) : Operators.Arithmetic(binary.Operator);
                return [.. left.Zip(right, op)];
            case Call { Function.Name: "time" }:
                return Times();
            case Call { Function.Name: "scalar", Arguments: [var vector] }:
                return OnlyValues(vector);
            default:
                throw new InvalidOperationException($"no scalar: {expression}");
        }
    }

    /// <summary>The series of a vector, one after the other. The points are the caller's.</summary>
    public IEnumerable<Series> Vector(Expression expression) => expression switch
    {
        Selector selector => _selectors.Newest(selector),
        Negation negation => Unnamed(negation.Of, Map(Vector(negation.Of), v => -v)),
        Aggregate { Parameter: null } aggregate => Aggregations.Reduce(aggregate, Vector(aggregate.Of), _budget),
        Aggregate aggregate => Aggregations.Pick(aggregate, Vector(aggregate.Of), Scalar(aggregate.Parameter!), _budget),
        Binary { Operator: "and" or "or" or "unless" } binary => new VectorMatching(binary, _budget).Combine(Vector(binary.Left), Vector(binary.Right), _steps.Count),
        Binary { Left.Type: ResultType.Vector, Right.Type: ResultType.Vector } binary => new VectorMatching(binary, _budget).Pair(Vector(binary.Left), Vector(binary.Right)),
        Binary { Left.Type: ResultType.Vector } binary => Unnamed(binary.Left, WithScalar(binary, Vector(binary.Left), Scalar(binary.Right), isLeft: false)),
        Binary binary => Unnamed(binary.Right, WithScalar(binary, Vector(binary.Right), Scalar(binary.Left), isLeft: true)),
        Call call => Unnamed(call, Function(call)),
        _ => throw new InvalidOperationException($"no vector: {expression}"),
    };

    private IEnumerable<Series> Function(Call call)
    {
        var name = call.Function.Name;
        if (name == "vector")
            return [new Series(Labels.Empty, Scalar(call.Arguments[0]))];
        if (name == "timestamp" && call.Arguments[0] is Selector newest)
            return _selectors.Newest(newest, ofTimes: true).Select(s => s with { Labels = s.Labels.WithoutName() });
        if (call.Arguments[0] is Selector { Type: ResultType.Matrix } selector)
        {
            var series = _selectors.OverRange(selector, RangeFunctions.Find(name));
            return name == "last_over_time" ? series : series.Select(s => s with { Labels = s.Labels.WithoutName() });
        }
        // What is computed has the time at which it is.
        var function = name == "timestamp" ? static (_, time) => time : Operators.Function(name);
        var second = name == "timestamp" ? Times() : call.Arguments.Count > 1 ? Scalar(call.Arguments[1]) : Constant(1);
        return Vector(call.Arguments[0]).Select(s => new Series(s.Labels.WithoutName(), Apply(s.Points, second, function)));
    }

    // What had different names only cannot be told apart without them.
    private IEnumerable<Series> Unnamed(Expression of, IEnumerable<Series> vector) => HasNames(of) ? Distinct(vector) : vector;

    /// <summary>Whether series of several metrics may be in it.</summary>
    private static bool HasNames(Expression expression) => expression switch
    {
        Selector selector => !selector.Matchers.Any(m => m.Label == Labels.Name && m.Operator == "="),
        Negation negation => HasNames(negation.Of),
        Call call => call.Arguments.Any(HasNames),
        Aggregate aggregate => HasNames(aggregate.Of),
        Binary binary => HasNames(binary.Left) || HasNames(binary.Right),
        _ => false,
    };

    private IEnumerable<Series> Distinct(IEnumerable<Series> vector)
    {
        var there = new Dictionary<Labels, bool[]>();
        foreach (var series in vector)
        {
            if (!there.TryGetValue(series.Labels, out var where))
            {
                _budget.Keep(_steps.Count);
                there.Add(series.Labels, where = new bool[_steps.Count]);
            }
            for (var i = 0; i < where.Length; i++)
            {
                if (!Point.IsThere(series.Points[i]))
                    continue;
                if (where[i])
                    throw PromQlException.Impossible("vector cannot contain metrics with the same labelset");
                where[i] = true;
            }
            yield return series;
        }
    }

    private static IEnumerable<Series> Map(IEnumerable<Series> vector, Func<double, double> map) =>
        vector.Select(s => new Series(s.Labels.WithoutName(), Array.ConvertAll(s.Points, v => Point.IsThere(v) ? map(v) : v)));

    private static IEnumerable<Series> WithScalar(Binary binary, IEnumerable<Series> vector, double[] scalar, bool isLeft)
    {
        if (!binary.IsComparison || binary.IsBool)
        {
            var op = binary.IsComparison ? Truth(binary.Operator) : Operators.Arithmetic(binary.Operator);
            Func<double, double, double> ordered = isLeft ? (v, s) => op(s, v) : op;
            return vector.Select(s => new Series(s.Labels.WithoutName(), Apply(s.Points, scalar, ordered)));
        }
        var compare = Operators.Comparison(binary.Operator);
        return vector.Select(s => s with
        {
            Points = Apply(s.Points, scalar, (v, other) => (isLeft ? compare(other, v) : compare(v, other)) ? v : Point.None),
        });
    }

    private static double[] Apply(double[] points, double[] others, Func<double, double, double> op)
    {
        for (var i = 0; i < points.Length; i++)
        {
            if (Point.IsThere(points[i]))
                points[i] = op(points[i], others[i]);
        }
        return points;
    }

    /// <summary>The value where there is one series, NaN where there is none or more.</summary>
    private double[] OnlyValues(Expression vector)
    {
        var values = Constant(double.NaN);
        var count = new int[_steps.Count];
        foreach (var series in Vector(vector))
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (Point.IsThere(series.Points[i]))
                    values[i] = count[i]++ == 0 ? series.Points[i] : double.NaN;
            }
        }
        return values;
    }

    private double[] Times() => [.. Enumerable.Range(0, _steps.Count).Select(i => _steps[i] / 1000.0)];

    private double[] Constant(double value)
    {
        var points = new double[_steps.Count];
        Array.Fill(points, value);
        return points;
    }

    /// <summary>A comparison that gives 1 or 0.</summary>
    internal static Func<double, double, double> Truth(string op) =>
        Operators.Comparison(op) is var compare ? (a, b) => compare(a, b) ? 1 : 0 : throw new InvalidOperationException();

    /// <summary>Adds the points of a part of a series.</summary>
    internal static void Merge(double[] into, double[] points, Func<string> conflict)
    {
        for (var i = 0; i < points.Length; i++)
        {
            if (!Point.IsThere(points[i]))
                continue;
            if (Point.IsThere(into[i]))
                throw PromQlException.Impossible(conflict());
            into[i] = points[i];
        }
    }
}
