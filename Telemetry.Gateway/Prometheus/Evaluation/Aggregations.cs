using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>Puts series together by some of their labels.</summary>
internal static class Aggregations
{
    private sealed class Group(Labels labels, int steps)
    {
        public Labels Labels { get; } = labels;

        public double[] Values { get; } = Point.NoneOf(steps);

        /// <summary>What rounding took from the sums.</summary>
        public double[] Lost { get; } = new double[steps];

        public int[] Counts { get; } = new int[steps];

        /// <summary>The series, of topk and bottomk.</summary>
        public List<Series> Series { get; } = [];
    }

    /// <summary>sum, avg, min, max, count and group: of each group only what is added up is kept.</summary>
    public static IEnumerable<Series> Reduce(Aggregate aggregate, IEnumerable<Series> vector, Budget budget)
    {
        var groups = new Dictionary<Labels, Group>();
        foreach (var series in vector)
            Add(GroupOf(groups, aggregate, series, budget), series.Points, aggregate.Operator);
        return groups.Values.Select(g => new Series(g.Labels, Values(g, aggregate.Operator)));
    }

    /// <summary>topk and bottomk: at each step the series with the largest or smallest values; at a single step in that order.</summary>
    public static IEnumerable<Series> Pick(Aggregate aggregate, IEnumerable<Series> vector, double[] counts, Budget budget)
    {
        foreach (var count in counts)
        {
            if (!(Math.Abs(count) < int.MaxValue))
                throw PromQlException.Impossible($"Scalar value {count} overflows int64");
        }
        var groups = new Dictionary<Labels, Group>();
        foreach (var series in vector)
        {
            budget.Keep(series.Points.Length);
            GroupOf(groups, aggregate, series, budget).Series.Add(series);
        }
        return groups.Values.SelectMany(g => Pick(g.Series, counts, aggregate.Operator == "topk" ? 1 : -1));
    }

    private static Group GroupOf(Dictionary<Labels, Group> groups, Aggregate aggregate, Series series, Budget budget)
    {
        var labels = aggregate.IsWithout ? series.Labels.Without([.. aggregate.Labels, Labels.Name]) : series.Labels.Only(aggregate.Labels);
        if (!groups.TryGetValue(labels, out var group))
        {
            budget.Keep(2 * series.Points.Length);
            groups.Add(labels, group = new Group(labels, series.Points.Length));
        }
        return group;
    }

    private static void Add(Group group, double[] points, string op)
    {
        for (var i = 0; i < points.Length; i++)
        {
            var value = points[i];
            if (!Point.IsThere(value))
                continue;
            ref var total = ref group.Values[i];
            if (group.Counts[i]++ == 0)
            {
                total = value;
                continue;
            }
            switch (op)
            {
                case "sum" or "avg":
                    var next = total + value;
                    group.Lost[i] += Math.Abs(total) >= Math.Abs(value) ? total - next + value : value - next + total;
                    total = next;
                    break;
                case "min" when value < total || double.IsNaN(total):
                case "max" when value > total || double.IsNaN(total):
                    total = value;
                    break;
            }
        }
    }

    private static double[] Values(Group group, string op)
    {
        var values = group.Values;
        for (var i = 0; i < values.Length; i++)
        {
            if (group.Counts[i] == 0)
                continue;
            var sum = double.IsFinite(group.Lost[i]) ? values[i] + group.Lost[i] : values[i];
            values[i] = op switch
            {
                "sum" => sum,
                "avg" => sum / group.Counts[i],
                "count" => group.Counts[i],
                "group" => 1,
                _ => values[i],
            };
        }
        return values;
    }

    private static IEnumerable<Series> Pick(List<Series> all, double[] counts, int sign)
    {
        var picked = all.ConvertAll(s => Point.NoneOf(s.Points.Length));
        var present = new List<int>(all.Count);
        for (var step = 0; step < counts.Length; step++)
        {
            present.Clear();
            for (var i = 0; i < all.Count; i++)
            {
                if (Point.IsThere(all[i].Points[step]))
                    present.Add(i);
            }
            present.Sort((a, b) => Compare(all[a].Points[step], all[b].Points[step], sign) is not 0 and var order ? order : a.CompareTo(b));
            foreach (var i in present.Take((int)counts[step]))
                picked[i][step] = all[i].Points[step];
        }
        // With a single step, the order is still that of its values.
        IEnumerable<int> indices = counts.Length == 1 ? present : Enumerable.Range(0, all.Count);
        return indices.Select(i => new Series(all[i].Labels, picked[i]));
    }

    // The best first; NaN is the worst.
    private static int Compare(double a, double b, int sign) => (double.IsNaN(a), double.IsNaN(b)) switch
    {
        (false, false) => sign * b.CompareTo(a),
        var (isA, isB) => isA.CompareTo(isB),
    };
}
