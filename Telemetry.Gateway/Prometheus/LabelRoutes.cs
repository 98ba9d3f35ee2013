using Telemetry.Gateway.Endpoints;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.Evaluation;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Prometheus;

/// <summary>Which series there are, and the names and values of their labels.</summary>
internal static class LabelRoutes
{
    /// <summary>The most series that selectors may select.</summary>
    private const int SeriesMax = 1_000_000;

    private static readonly PromQlParameter Match = new("match[]", "Only series that this selects; may be given several times.") { Example = "gpu_utilization{host_id=~\".+\"}" };

    private static readonly PromQlParameter RequiredMatch = new("match[]", "What to select; may be given several times.") { Example = "gpu_utilization", Required = true };

    private static readonly InstantParameter Start = new("start", "Only series with samples from this time on, to the hour.") { Example = "2025-07-18T20:00:00Z" };

    private static readonly InstantParameter End = new("end", "Only series with samples up to this time, to the hour.") { Example = "2025-07-18T21:00:00Z" };

    private static readonly NumberParameter Limit = new("limit", "The most entries; 0 is no limit.", 0, int.MaxValue, 0) { Example = 100 };

    private static readonly TextParameter LabelName = new("name", "The label's name; `__name__` for the metrics.") { Example = "host_id", InPath = true, Required = true };

    /// <summary>GET and POST /prometheus/api/v1/series.</summary>
    public static readonly PrometheusRoute<IReadOnlyList<IReadOnlyDictionary<string, string>>> Series = new()
    {
        Path = "/prometheus/api/v1/series",
        OperationId = "promSeries",
        Tag = Tags.Prometheus,
        Summary = "Lists the series that selectors select",
        Description = "The labels of each series, with the metric's name. To the hour: a series of an hour that the range touches is one of them.",
        Parameters = [RequiredMatch, Start, End, Limit],
        TakesForm = true,
        Answer = async request => Cut(request, (await FindAsync<Labels>(request, RequiredMatch, labels => [labels])).Order().Select(ToDictionary)),
        Example = [new Dictionary<string, string> { [Labels.Name] = "gpu_utilization", ["host_id"] = Examples.Host, ["gpu_id"] = Examples.Gpu }],
    };

    /// <summary>GET and POST /prometheus/api/v1/labels.</summary>
    public static readonly PrometheusRoute<IReadOnlyList<string>> Names = new()
    {
        Path = "/prometheus/api/v1/labels",
        OperationId = "promLabels",
        Tag = Tags.Prometheus,
        Summary = "Lists the names of labels",
        Description = "The names of the labels that series have, in alphabetical order.",
        Parameters = [Match, Start, End, Limit],
        TakesForm = true,
        Answer = async request => Cut(request, (await FindAsync(request, Match, labels => labels.All.Select(l => l.Name))).Order(StringComparer.Ordinal)),
        Example = [Labels.Name, "gpu_id", "host_id"],
    };

    /// <summary>GET /prometheus/api/v1/label/{name}/values.</summary>
    public static readonly PrometheusRoute<IReadOnlyList<string>> Values = new()
    {
        Path = "/prometheus/api/v1/label/{name}/values",
        OperationId = "promLabelValues",
        Tag = Tags.Prometheus,
        Summary = "Lists the values of a label",
        Description = "The values that a label has, in alphabetical order; none for a label that no series has.",
        Parameters = [LabelName, Match, Start, End, Limit],
        Answer = ValuesAsync,
        Example = [Examples.Host],
    };

    private static async Task<PrometheusAnswer<IReadOnlyList<string>>> ValuesAsync(PrometheusRequest request)
    {
        var name = request.Get(LabelName)!;
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || char.IsAsciiDigit(name[0]))
            throw new PromQlException(PromQlFault.BadData, $"invalid label name: \"{UserInput.Printable(name)}\"");
        var values = await FindAsync(request, Match, labels => labels[name] is { Length: > 0 } value ? [value] : Array.Empty<string>());
        return Cut(request, values.Order(StringComparer.Ordinal));
    }

    /// <summary>What is wanted of the labels of the series that there are, each once.</summary>
    private static async Task<HashSet<T>> FindAsync<T>(PrometheusRequest request, PromQlParameter match, Func<Labels, IEnumerable<T>> of)
    {
        var selectors = request.All(match).Select(text => Parse(text!)).ToList();
        var start = request.Get(Start) ?? long.MinValue;
        // A millisecond on: the store's ranges do not have their end.
        var end = request.Get(End) is { } last ? last + 1 : long.MaxValue;
        if (end <= start)
            throw PromQlException.Parameter(End.Name, "end timestamp must not be before start time");
        return await request.Services.Store.SamplesAsync([], samples => Find(samples, selectors, start, end, of), request.Stop);
    }

    private static HashSet<T> Find<T>(SampleReader samples, List<Selector> selectors, long start, long end, Func<Labels, IEnumerable<T>> of)
    {
        var vocabulary = new Vocabulary(samples.Metrics);
        var series = samples.Series(null, null, start, end);
        var wanted = new HashSet<T>();
        if (selectors.Count == 0)
        {
            // All metrics of one naming have the same labels but for their name: that of each is told once, the others by one metric.
            foreach (var naming in vocabulary.Metrics.GroupBy(m => m.Labels))
            {
                foreach (var one in series)
                {
                    samples.Stop.ThrowIfCancellationRequested();
                    wanted.UnionWith(of(naming.First().LabelsOf(one)));
                }
                if (series.Count > 0)
                    wanted.UnionWith(naming.SelectMany(m => of(m.LabelsOf(series[0]))));
            }
            return wanted;
        }
        var found = new List<(SampleSeries Series, NamedMetric Metric)>();
        foreach (var metric in vocabulary.Metrics)
        {
            var own = selectors.FindAll(s => Selectors.Matches(s, metric));
            foreach (var one in own.Count > 0 ? series : [])
            {
                samples.Stop.ThrowIfCancellationRequested();
                var labels = metric.LabelsOf(one);
                if (own.Exists(w => Selectors.Matches(w, labels)))
                    found.Add((one, metric));
            }
            if (found.Count > SeriesMax)
                throw PromQlException.Impossible($"more than {SeriesMax:N0} series are selected: select fewer");
        }
        var metrics = samples.MetricsOf([.. found.Select(f => f.Series).Distinct()], [.. found.Select(f => f.Metric.Column).Distinct()], start, end);
        foreach (var (one, metric) in found)
        {
            samples.Stop.ThrowIfCancellationRequested();
            if (metrics[one.Id].Contains(metric.Column))
                wanted.UnionWith(of(metric.LabelsOf(one)));
        }
        return wanted;
    }

    private static Selector Parse(string text)
    {
        try
        {
            return Parser.ParseSelector(text);
        }
        catch (PromQlException error)
        {
            throw new PromQlException(error.Fault, $"invalid parameter \"match[]\": {error.Message}");
        }
    }

    private static PrometheusAnswer<IReadOnlyList<T>> Cut<T>(PrometheusRequest request, IEnumerable<T> all)
    {
        List<T> data = [.. all];
        var limit = request.Get(Limit);
        return limit == 0 || data.Count <= limit
            ? new PrometheusAnswer<IReadOnlyList<T>> { Data = data }
            : new PrometheusAnswer<IReadOnlyList<T>> { Data = data[..limit], Warnings = ["results truncated due to limit"] };
    }

    private static IReadOnlyDictionary<string, string> ToDictionary(Labels labels) =>
        labels.All.ToDictionary(l => l.Name, l => l.Value, StringComparer.Ordinal);
}
