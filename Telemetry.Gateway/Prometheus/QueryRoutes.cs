using Telemetry.Gateway.Endpoints;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.Evaluation;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Prometheus;

/// <summary>Queries at an instant and over a range.</summary>
internal static class QueryRoutes
{
    /// <summary>The most steps of a range, as in Prometheus.</summary>
    public const int StepsMax = 11_000;

    /// <summary>The most samples that a query reads: the gateway's limit of time comes first on most machines.</summary>
    public const long SamplesMax = 1_000_000_000;

    /// <summary>The most points that a query keeps in memory: 80 MB.</summary>
    public const long PointsMax = 10_000_000;

    private static readonly PromQlParameter Query = new("query", "The query. 422 names what is not supported, and where it stands.")
    {
        Example = "avg by (host_id) (gpu_utilization)",
        Required = true,
    };

    private static readonly InstantParameter Time = new("time", "The instant, in seconds since 1970 or RFC 3339. Now where it is not given.") { Example = "2025-07-18T20:42:34Z" };

    private static readonly InstantParameter Start = new("start", "The first instant, in seconds since 1970 or RFC 3339.") { Example = "2025-07-18T20:00:00Z", Required = true };

    private static readonly InstantParameter End = new("end", "No instant is after it.") { Example = "2025-07-18T21:00:00Z", Required = true };

    private static readonly SpanParameter Step = new("step", $"From one instant to the next, in seconds or as a duration. A range has at most {StepsMax:N0} instants.")
    {
        Example = "15s",
        Required = true,
    };

    /// <summary>GET and POST /prometheus/api/v1/query.</summary>
    public static readonly PrometheusRoute<QueryData> Instant = new()
    {
        Path = "/prometheus/api/v1/query",
        OperationId = "promQuery",
        Tag = Tags.Prometheus,
        Summary = "Evaluates PromQL at an instant",
        Description = "As Prometheus answers it: `vector` for series, `matrix` for a selector with a range, `scalar` or `string` for one value. Values are `[seconds, \"number\"]`.",
        Parameters = [Query, Time, PrometheusRoutes.Timeout],
        TakesForm = true,
        Answer = InstantAsync,
        Write = QueryAnswer.WriteAsync,
        Example = new QueryData { ResultType = "vector", Result = new QueryResult { IsVector = true, Series = [Example(87.5)] } },
    };

    /// <summary>GET and POST /prometheus/api/v1/query_range.</summary>
    public static readonly PrometheusRoute<QueryData> Range = new()
    {
        Path = "/prometheus/api/v1/query_range",
        OperationId = "promQueryRange",
        Tag = Tags.Prometheus,
        Summary = "Evaluates PromQL at each step of a range",
        Description = "As Prometheus answers it: a `matrix`, of which each series has the values of the steps at which it has one. A gap stays a gap.",
        Parameters = [Query, Start, End, Step, PrometheusRoutes.Timeout],
        TakesForm = true,
        Answer = RangeAsync,
        Write = QueryAnswer.WriteAsync,
        Example = new QueryData { ResultType = "matrix", Result = new QueryResult { Series = [Example(85, 87.5)] } },
    };

    private static async Task<PrometheusAnswer<QueryData>> InstantAsync(PrometheusRequest request)
    {
        var expression = Parse(request);
        var time = request.Get(Time) ?? request.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var data = await EvaluateAsync(request, new Steps(time, 0, 1, time), evaluator => expression switch
        {
            Selector { Type: ResultType.Matrix } selector => new QueryData
            {
                ResultType = "matrix",
                Result = new QueryResult { Series = [.. evaluator.Samples(selector).Select(s => new ResultSeries(s.Labels, i => s.Times[i], s.Values))] },
            },
            TextLiteral text => new QueryData { ResultType = "string", Result = new QueryResult { Single = (time, text.Value) } },
            { Type: ResultType.Scalar } => new QueryData
            {
                ResultType = "scalar",
                Result = new QueryResult { Single = (time, QueryResult.Text(evaluator.Scalar(expression)[0])) },
            },
            _ => new QueryData
            {
                ResultType = "vector",
                Result = new QueryResult { IsVector = true, Series = [.. evaluator.Collect(expression).Select(s => new ResultSeries(s.Labels, _ => time, s.Points))] },
            },
        });
        return new PrometheusAnswer<QueryData> { Data = data };
    }

    private static async Task<PrometheusAnswer<QueryData>> RangeAsync(PrometheusRequest request)
    {
        var (start, end, step) = (request.Get(Start)!.Value, request.Get(End)!.Value, request.Get(Step)!.Value);
        if (end < start)
            throw PromQlException.Parameter(End.Name, "end timestamp must not be before start time");
        if ((end - start) / step > StepsMax)
            throw new PromQlException(PromQlFault.BadData, $"exceeded maximum resolution of {StepsMax:N0} points per timeseries. Try decreasing the query resolution (?step=XX)");
        var expression = Parse(request);
        if (expression.Type is not (ResultType.Vector or ResultType.Scalar))
            throw new PromQlException(PromQlFault.BadData, $"invalid parameter \"query\": invalid expression type \"{Parser.Name(expression.Type)}\" for range query, must be Scalar or instant Vector");
        var steps = new Steps(start, step, (int)((end - start) / step) + 1, end);
        var data = await EvaluateAsync(request, steps, evaluator =>
        {
            IEnumerable<Series> series = expression.Type == ResultType.Scalar
                ? [new Series(Labels.Empty, evaluator.Scalar(expression))]
                : evaluator.Collect(expression).OrderBy(s => s.Labels);
            return new QueryData
            {
                ResultType = "matrix",
                Result = new QueryResult { Series = [.. series.Select(s => new ResultSeries(s.Labels, i => steps[i], s.Points))] },
            };
        });
        return new PrometheusAnswer<QueryData> { Data = data };
    }

    private static Expression Parse(PrometheusRequest request)
    {
        try
        {
            return Parser.Parse(request.Get(Query)!);
        }
        catch (PromQlException error)
        {
            throw new PromQlException(error.Fault, $"invalid parameter \"query\": {error.Message}");
        }
    }

    // Before there is a store, a query is evaluated on nothing: 1 + 1 is still 2, by which Grafana tests its data source.
    private static async Task<QueryData> EvaluateAsync(PrometheusRequest request, Steps steps, Func<Evaluator, QueryData> evaluate)
    {
        QueryData Evaluate(SampleReader? samples) => evaluate(new Evaluator(samples, steps, new Budget(SamplesMax, PointsMax)));
        return await request.Services.Store.SamplesAsync<QueryData?>(null, Evaluate, request.Stop) ?? Evaluate(null);
    }

    private static ResultSeries Example(params double[] values) =>
        new(Labels.Of([("host_id", Examples.Host)]), i => Examples.Time.ToUnixTimeMilliseconds() + (i * 15_000), values);
}
