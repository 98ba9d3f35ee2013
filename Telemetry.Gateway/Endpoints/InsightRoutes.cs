using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Endpoints;

/// <summary>What the fleet does, and what is wrong with it.</summary>
internal static class InsightRoutes
{
    private static readonly NamesParameter Kinds = new("kind", "Only findings of these kinds, separated by commas: lost, failing, hot, throttled, incomplete, idle_held, idle, application_error.")
    {
        Example = "hot,failing",
    };

    private static readonly ChoiceParameter<TimeSpan> UsageRange = new(
        "time_range", "So many whole hours, of which the present one is the last (1h: and the one before it). Not together with start_time or end_time.", TimeSpan.FromDays(7), "7d",
        ("1h", TimeSpan.FromHours(1)), ("24h", TimeSpan.FromHours(24)), ("7d", TimeSpan.FromDays(7)), ("30d", TimeSpan.FromDays(30)))
    {
        Example = "24h",
    };

    /// <summary>GET /api/v1/fleet/gpus.</summary>
    public static readonly ApiRoute<FleetGpusAnswer> Gpus = new()
    {
        Path = "/api/v1/fleet/gpus",
        OperationId = "getFleet",
        Tag = Tags.Fleet,
        Summary = "Gets the newest record of every GPU, column by column",
        Description = "The same as /api/v1/telemetry/latest in a shape that is small and quick to draw: entry i of each list is of GPU i. The GPUs come by host, then by index.",
        Parameters = [Filters.HostId, Filters.GpuId, Filters.Metrics],
        MayBeUnknown = true,
        Answer = GpusAsync,
        Example = new FleetGpusAnswer
        {
            Time = Examples.Time.AddSeconds(1),
            Total = 1,
            HostId = [Examples.Host],
            GpuId = [Examples.Gpu],
            Uuid = [Examples.Uuid],
            Model = [Examples.Model],
            Device = [Examples.Device],
            Pod = ["train-7b-0"],
            Namespace = ["research"],
            Container = ["trainer"],
            AgeSeconds = [1.25],
            State = [GpuState.Active],
            Metrics = new Dictionary<string, IReadOnlyList<double?>>(StringComparer.Ordinal) { ["gpu_utilization"] = [87], ["power_w"] = [412.5] },
        },
    };

    /// <summary>GET /api/v1/fleet/insights.</summary>
    public static readonly ApiRoute<InsightsAnswer> Insights = new()
    {
        Path = "/api/v1/fleet/insights",
        OperationId = "getInsights",
        Tag = Tags.Fleet,
        Summary = "Tells which GPUs are idle, hot, failing or lost, why, and since when",
        Description = """
            Counts by state, and findings with the reason, since when (looked for up to 24 hours back), and what to do. The
            thresholds are those of /api/v1/fleet/rules. At most five seconds old.

            | kind | means |
            |---|---|
            | lost | no record for a while |
            | failing | an XID of hardware or driver in the last day, or a counter of uncorrectable errors |
            | hot | GPU or memory at a temperature for some time |
            | throttled | the clock is lowered by heat or power for some time |
            | incomplete | a part of its records does not arrive |
            | idle_held | idle for some time, with memory in use |
            | idle | idle for some time |
            | application_error | an XID that is usually the job's fault |
            """,
        Parameters = [Filters.HostId, Filters.GpuId, Kinds],
        MayBeUnknown = true,
        Answer = InsightsAsync,
        Example = InsightExamples.Insights,
    };

    /// <summary>GET /api/v1/fleet/usage.</summary>
    public static readonly ApiRoute<UsageAnswer> Usage = new()
    {
        Path = "/api/v1/fleet/usage",
        OperationId = "getUsage",
        Tag = Tags.Fleet,
        Summary = "Tells how the fleet was used, by hour, host and namespace",
        Description = "GPU-hours by what the GPU did in the hour on average, average utilization, and energy by power and time. The range is extended to whole hours. `idle_held_hours` are paid for and wasted.",
        Parameters = [UsageRange, TimeWindow.Start, TimeWindow.End],
        ChangesRarely = true,
        Answer = UsageAsync,
        Example = InsightExamples.Usage,
    };

    /// <summary>GET /api/v1/fleet/rules.</summary>
    public static readonly ApiRoute<FleetRules> Rules = new()
    {
        Path = "/api/v1/fleet/rules",
        OperationId = "getRules",
        Tag = Tags.Fleet,
        Summary = "Gets the thresholds in effect",
        Description = "What makes a GPU idle, hot, failing or lost, and what is known of XIDs. `FLEET_RULES` names a file that changes some of it.",
        ChangesRarely = true,
        Answer = request => Task.FromResult(request.Services.Rules),
        Example = FleetRules.Default with { Xids = FleetRules.Default.Xids.Where(x => x.Key == "79").ToDictionary(StringComparer.Ordinal) },
    };

    private static async Task<FleetGpusAnswer> GpusAsync(ApiRequest request)
    {
        var (hostId, gpuId, names) = (request.Get(Filters.HostId), request.Get(Filters.GpuId), request.Get(Filters.Metrics));
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        await MetricNames.CheckAsync(request.Store, Filters.Metrics.Name, names, request.Stop);
        var metrics = names ?? await request.Store.MetricsAsync(request.Stop);
        var rows = await request.Store.LatestAsync(hostId, gpuId, request.Stop);
        return FleetGpusAnswer.Of(rows, metrics, request.Services.Rules, request.Now);
    }

    private static async Task<InsightsAnswer> InsightsAsync(ApiRequest request)
    {
        var (hostId, gpuId, kinds) = (request.Get(Filters.HostId), request.Get(Filters.GpuId), request.Get(Kinds));
        var wanted = kinds?.Select(Kind).ToHashSet();
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        var all = await request.Services.Insights.GetAsync(request.Stop);
        if (hostId is null && gpuId is null && wanted is null)
            return all;
        var findings = all.Findings
            .Where(f => (hostId is null || f.HostId == hostId) && (gpuId is null || f.GpuId == gpuId) && wanted?.Contains(f.Kind) != false)
            .ToList();
        return all with { Findings = findings, Total = findings.Count };
    }

    private static FindingKind Kind(string word)
    {
        var words = Enum.GetValues<FindingKind>().ToDictionary(Word, StringComparer.Ordinal);
        return words.TryGetValue(word, out var kind) ? kind
            : throw Problems.InvalidParameter(Kinds.Name, $"'{UserInput.Printable(word)}' is not accepted: expected some of {string.Join(", ", words.Keys)}");
    }

    private static string Word(FindingKind kind) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    private static Task<UsageAnswer> UsageAsync(ApiRequest request)
    {
        var range = TimeWindow.Read(request.Values, request.Now, UsageRange);
        if (!request.Values.Has(TimeWindow.Start) && !request.Values.Has(TimeWindow.End))
            range = FleetUsage.Last(request.Get(UsageRange), request.Now);
        if (range.End > request.Now.AddDays(1))
            throw Problems.InvalidParameter(TimeWindow.End.Name, "is more than a day in the future");
        return FleetUsage.OfAsync(request.Store, request.Services.Rules, range, request.Stop);
    }
}
