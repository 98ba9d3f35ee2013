using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Metrics by host or GPU over a range of time.</summary>
internal static class AggregationRoutes
{
    private static readonly ChoiceParameter<GroupBy> Group = new(
        "group_by", "What a group is: a host, or a GPU (host and index).", GroupBy.HostId, "host_id",
        ("host_id", GroupBy.HostId), ("gpu_id", GroupBy.GpuId))
    {
        Example = "gpu_id",
    };

    /// <summary>GET /api/v1/telemetry/aggregations.</summary>
    public static readonly ApiRoute<AggregationsAnswer> Aggregations = new()
    {
        Path = "/api/v1/telemetry/aggregations",
        OperationId = "aggregateTelemetry",
        Tag = Tags.Telemetry,
        Summary = "Aggregates metrics by host or GPU",
        Description = "Count, average, minimum, maximum and newest value of every metric, for each host or GPU that has records in the range: `time_range`, or `start_time` (an hour before the end where it is missing) and `end_time` (now where it is missing). Groups without records are not in the answer.",
        Parameters = [Group, TimeWindow.Range, TimeWindow.Start, TimeWindow.End, Filters.HostId, Filters.GpuId, Filters.Metrics],
        MayBeUnknown = true,
        Answer = AggregateAsync,
        Example = new AggregationsAnswer
        {
            GroupBy = "gpu_id",
            StartTime = Examples.Time.AddHours(-1),
            EndTime = Examples.Time,
            Data =
            [
                new Aggregation
                {
                    HostId = Examples.Host,
                    GpuId = Examples.Gpu,
                    Rows = 720,
                    Metrics = new Dictionary<string, MetricStatistics>(StringComparer.Ordinal) { ["gpu_utilization"] = Examples.Utilization },
                },
            ],
            Total = 1,
        },
    };

    private static async Task<AggregationsAnswer> AggregateAsync(ApiRequest request)
    {
        var range = TimeWindow.Read(request.Values, request.Now);
        var (groupBy, hostId, gpuId) = (request.Get(Group), request.Get(Filters.HostId), request.Get(Filters.GpuId));
        var metrics = request.Get(Filters.Metrics);
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        await MetricNames.CheckAsync(request.Store, Filters.Metrics.Name, metrics, request.Stop);

        var groups = await request.Store.AggregateAsync(range, groupBy, hostId, gpuId, metrics, request.Stop);
        return new AggregationsAnswer
        {
            GroupBy = groupBy == GroupBy.HostId ? "host_id" : "gpu_id",
            StartTime = range.Start,
            EndTime = range.End,
            Data = [.. groups.Select(g => new Aggregation { HostId = g.HostId, GpuId = g.GpuId, Rows = g.Rows, Metrics = MetricStatistics.Of(g.Metrics) })],
            Total = groups.Count,
        };
    }
}
