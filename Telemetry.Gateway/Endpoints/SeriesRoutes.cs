using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Endpoints;

/// <summary>One metric of one GPU over time.</summary>
internal static class SeriesRoutes
{
    /// <summary>The most steps in an answer.</summary>
    public const int PointsMax = 11_000;

    /// <summary>The most steps where the request leaves the step to the gateway: what a chart can show.</summary>
    private const int PointsByDefault = 360;

    private static readonly TimeSpan[] Steps =
    [
        .. new[] { 1, 2, 5, 10, 15, 30 }.Select(s => TimeSpan.FromSeconds(s)),
        .. new[] { 1, 2, 5, 10, 15, 30 }.Select(m => TimeSpan.FromMinutes(m)),
        .. new[] { 1, 2, 3, 6, 12 }.Select(h => TimeSpan.FromHours(h)),
        .. new[] { 1, 2, 7, 14, 30 }.Select(d => TimeSpan.FromDays(d)),
    ];

    private static readonly TextParameter Metric = new("metric", "The metric. 400 with the names near it where it is not in the store.") { Example = "gpu_utilization", Required = true };

    private static readonly DurationParameter Step = new(
        "step", $"The length of a step, of which a range has at most {PointsMax:N0}. Where it is not given, a round one that makes at most {PointsByDefault}.", TimeSpan.FromSeconds(1), TimeSpan.FromDays(30))
    {
        Example = "1m",
    };

    /// <summary>GET /api/v1/telemetry/series.</summary>
    public static readonly ApiRoute<SeriesAnswer> Series = new()
    {
        Path = "/api/v1/telemetry/series",
        OperationId = "getSeries",
        Tag = Tags.Telemetry,
        Summary = "Gets one metric of one GPU in steps of time",
        Description = "Count, average, minimum, maximum and newest value for each step of the range. Steps begin at the start of the range. A step in which nothing was measured is not in the answer: a gap is a gap, not 0.",
        Parameters = [Filters.RequiredHostId, Filters.RequiredGpuId, Metric, TimeWindow.Range, TimeWindow.Start, TimeWindow.End, Step],
        MayBeUnknown = true,
        Answer = SeriesAsync,
        Example = new SeriesAnswer
        {
            HostId = Examples.Host,
            GpuId = Examples.Gpu,
            Metric = "gpu_utilization",
            StartTime = Examples.Time.AddHours(-1),
            EndTime = Examples.Time,
            StepSeconds = 10,
            Data = [new SeriesStep { Timestamp = Examples.Time.AddSeconds(-10), Count = 2, Avg = 85.5, Min = 84, Max = 87, Last = 87 }],
        },
    };

    private static async Task<SeriesAnswer> SeriesAsync(ApiRequest request)
    {
        var range = TimeWindow.Read(request.Values, request.Now);
        // A range that ends now has up to a minute more than its name says, which is no reason for a longer step.
        var length = range.End - range.Start;
        var step = StepOf(request, request.Values.Has(TimeWindow.End) || length < TimeSpan.FromMinutes(1) ? length : TimeSpan.FromMinutes(Math.Floor(length.TotalMinutes)));
        var (hostId, gpuId, metric) = (request.Get(Filters.RequiredHostId)!, request.Get(Filters.RequiredGpuId)!, request.Get(Metric)!);
        await request.KnownGpusAsync(hostId, gpuId);
        await MetricNames.CheckAsync(request.Store, Metric.Name, [metric], request.Stop);

        var points = await request.Store.SeriesAsync(hostId, gpuId, metric, range, step, request.Stop);
        return new SeriesAnswer
        {
            HostId = hostId,
            GpuId = gpuId,
            Metric = metric,
            StartTime = range.Start,
            EndTime = range.End,
            StepSeconds = step.TotalSeconds,
            Data = [.. points.Select(p => new SeriesStep
            {
                Timestamp = p.Start,
                Count = p.Count,
                Avg = MetricStatistics.Finite(p.Avg),
                Min = p.Min,
                Max = p.Max,
                Last = p.Last,
            })],
        };
    }

    private static TimeSpan StepOf(ApiRequest request, TimeSpan length)
    {
        if (request.Get(Step) is not { } step)
            return Array.Find(Steps, s => Points(length, s) <= PointsByDefault) is { Ticks: > 0 } round ? round : Steps[^1];
        if (Points(length, step) > PointsMax)
        {
            var least = TimeSpan.FromSeconds(Math.Ceiling(length.TotalSeconds / PointsMax));
            throw Problems.InvalidParameter(
                Step.Name, $"{Durations.Format(step)} makes {Points(length, step)} steps of this range, and at most {PointsMax} are possible: use {Durations.Format(least)} or longer");
        }
        return step;
    }

    private static long Points(TimeSpan length, TimeSpan step) => (length.Ticks + step.Ticks - 1) / step.Ticks;
}
