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
        Answer = async request => Cut(request, (await FindAsync(request, RequiredMatch)).Order().Select(ToDictionary)),
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
        Answer = async request => Cut(request, (await FindAsync(request, Match)).SelectMany(l => l.All).Select(l => l.Name).Distinct().Order(StringComparer.Ordinal)),
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
        var labels = await FindAsync(request, Match);
        return Cut(request, labels.Select(l => l[name]).Where(v => v.Length > 0).Distinct().Order(StringComparer.Ordinal));
    }

    private static async Task<IReadOnlyCollection<Labels>> FindAsync(PrometheusRequest request, PromQlParameter match)
    {
        var selectors = request.All(match).Select(text => Parse(text!)).ToList();
        var start = request.Get(Start) ?? long.MinValue;
        // A millisecond on: the store's ranges do not have their end.
        var end = request.Get(End) is { } last ? last + 1 : long.MaxValue;
        if (end <= start)
            throw PromQlException.Parameter(End.Name, "end timestamp must not be before start time");
        return await request.Services.Store.SamplesAsync<IReadOnlyCollection<Labels>>([], samples => Find(samples, selectors, start, end), request.Stop);
    }

    private static HashSet<Labels> Find(SampleReader samples, List<Selector> selectors, long start, long end)
    {
        var vocabulary = new Vocabulary(samples.Metrics);
        var series = samples.Series(null, null, start, end);
        if (selectors.Count == 0)
            return [.. vocabulary.Metrics.SelectMany(m => series.Select(m.LabelsOf))];
        var found = new List<(SampleSeries Series, NamedMetric Metric, Labels Labels)>();
        foreach (var metric in vocabulary.Metrics)
        {
            samples.Stop.ThrowIfCancellationRequested();
            var wanted = selectors.FindAll(s => Selectors.Matches(s, metric));
            if (wanted.Count > 0)
                found.AddRange(series.Select(s => (s, metric, metric.LabelsOf(s))).Where(f => wanted.Exists(w => Selectors.Matches(w, f.Item3))));
        }
        var metrics = samples.MetricsOf([.. found.Select(f => f.Series).Distinct()], [.. found.Select(f => f.Metric.Column).Distinct()], start, end);
        return [.. found.Where(f => metrics[f.Series.Id].Contains(f.Metric.Column)).Select(f => f.Labels)];
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
