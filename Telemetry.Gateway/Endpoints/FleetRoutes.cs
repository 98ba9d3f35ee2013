using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Endpoints;

/// <summary>The fleet as it is now, and over the last day.</summary>
internal static class FleetRoutes
{
    // Hours of GPUs in one answer.
    private const int HoursMax = 200_000;

    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <summary>GET /api/v1/telemetry/latest.</summary>
    public static readonly ApiRoute<LatestAnswer> Latest = new()
    {
        Path = "/api/v1/telemetry/latest",
        OperationId = "getLatest",
        Tag = Tags.Fleet,
        Summary = "Gets the newest record of every GPU, with its age and state",
        Description = """
            A record is never shown as newer than it is: look at `age_seconds` and `state`. The thresholds are those of
            /api/v1/fleet/rules.

            | state | means |
            |---|---|
            | lost | the newest record is too old |
            | unknown | the record has neither gr_engine_active nor gpu_utilization |
            | active | busy, by gr_engine_active or else gpu_utilization |
            | idle_held | not busy, but with memory in use |
            | idle | not busy, and not known to hold memory |
            """,
        Parameters = [Filters.HostId, Filters.GpuId],
        MayBeUnknown = true,
        Answer = LatestAsync,
        Example = new LatestAnswer { Data = [Examples.Latest], Total = 1 },
    };

    /// <summary>GET /api/v1/stats/summary.</summary>
    public static readonly ApiRoute<SummaryAnswer> Summary = new()
    {
        Path = "/api/v1/stats/summary",
        OperationId = "getSummary",
        Tag = Tags.Fleet,
        Summary = "Sums up the last 24 hours",
        Description = "Hosts, GPUs and records of the last 24 hours; average, minimum and peak of every metric; and completeness: the share of the expected records that arrived.",
        Answer = SummaryAsync,
        Example = new SummaryAnswer
        {
            StartTime = Examples.Time - Day,
            EndTime = Examples.Time,
            Hosts = 31,
            Gpus = 248,
            Rows = 4_285_440,
            Completeness = 0.9987,
            Metrics = new Dictionary<string, FleetStatistics>(StringComparer.Ordinal)
            {
                ["gpu_utilization"] = new() { Count = 4_285_440, Avg = 63.2, Min = 0, Max = 100 },
            },
        },
    };

    /// <summary>GET /api/v1/stats/completeness.</summary>
    public static readonly ApiRoute<CompletenessAnswer> Completeness = new()
    {
        Path = "/api/v1/stats/completeness",
        OperationId = "getCompleteness",
        Tag = Tags.Fleet,
        Summary = "Tells which GPUs lose records, by hour",
        Description = $"For each GPU and each hour that the range touches: the records that arrived, and those that were to be expected by the GPU's usual interval (the median distance of its records), from its first record to now. An hour without records is there with 0. At most {HoursMax:N0} hours of GPUs: give host_id or a shorter range for more.",
        Parameters = [TimeWindow.Range, TimeWindow.Start, TimeWindow.End, Filters.HostId, Filters.GpuId],
        MayBeUnknown = true,
        Answer = CompletenessAsync,
        Example = new CompletenessAnswer
        {
            StartTime = Examples.Time.AddHours(-1),
            EndTime = Examples.Time,
            Data =
            [
                new GpuCompletenessAnswer
                {
                    HostId = Examples.Host,
                    GpuId = Examples.Gpu,
                    IntervalSeconds = 1,
                    Hours = [new HourCompletenessAnswer { StartTime = Examples.Time.AddHours(-1), Rows = 3_528, Expected = 3_600, Completeness = 0.98 }],
                },
            ],
            Total = 1,
        },
    };

    private static async Task<CompletenessAnswer> CompletenessAsync(ApiRequest request)
    {
        var range = TimeWindow.Read(request.Values, request.Now);
        var (hostId, gpuId) = (request.Get(Filters.HostId), request.Get(Filters.GpuId));
        var hours = (range.End - range.Start).TotalHours;
        var gpus = hostId is null
            ? (await request.Store.HostsAsync(request.Stop)).Sum(h => gpuId is null ? h.GpuCount : 1)
            : (await request.KnownGpusAsync(hostId, gpuId)).Count;
        if (hours * gpus > HoursMax)
            throw Problems.InvalidParameter(TimeWindow.Range.Name, $"is too long: {hours:0} hours of {gpus} GPUs are more than {HoursMax}; give host_id, or a shorter range");
        var data = await request.Store.CompletenessAsync(range, hostId, gpuId, request.Stop);
        return new CompletenessAnswer { StartTime = range.Start, EndTime = range.End, Data = [.. data.Select(GpuCompletenessAnswer.Of)], Total = data.Count };
    }

    private static async Task<LatestAnswer> LatestAsync(ApiRequest request)
    {
        var (hostId, gpuId) = (request.Get(Filters.HostId), request.Get(Filters.GpuId));
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        var rows = await request.Store.LatestAsync(hostId, gpuId, request.Stop);
        var (rules, now) = (request.Services.Rules, request.Now);
        return new LatestAnswer { Data = [.. rows.Select(r => LatestGpu.Of(r, rules, now))], Total = rows.Count };
    }

    private static async Task<SummaryAnswer> SummaryAsync(ApiRequest request)
    {
        var range = TimeWindow.Last(Day, request.Now);
        var fleet = await request.Store.SummaryAsync(range, request.Stop);
        return new SummaryAnswer
        {
            StartTime = range.Start,
            EndTime = range.End,
            Hosts = fleet.Hosts,
            Gpus = fleet.Gpus,
            Rows = fleet.Rows,
            Completeness = fleet.Completeness is { } share ? Math.Round(share, 4) : null,
            Metrics = fleet.Metrics.Where(m => m.Count > 0).ToDictionary(
                m => m.Metric, m => new FleetStatistics { Count = m.Count, Avg = MetricStatistics.Finite(m.Avg), Min = m.Min, Max = m.Max }, StringComparer.Ordinal),
        };
    }
}
