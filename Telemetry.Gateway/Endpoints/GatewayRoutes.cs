using Telemetry.Gateway.Dashboard;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus;

namespace Telemetry.Gateway.Endpoints;

/// <summary>All routes of the API. To add one: declare it in a file of its group and add it here.</summary>
internal static class GatewayRoutes
{
    /// <summary>The routes, in the order of the documentation.</summary>
    public static readonly IReadOnlyList<ApiRoute> All =
    [
        RecordRoutes.Records,
        HostRoutes.Hosts,
        HostRoutes.Gpus,
        AggregationRoutes.Aggregations,
        SeriesRoutes.Series,
        LiveRoutes.Stream,
        ExportRoutes.Export,
        FleetRoutes.Latest,
        HostRoutes.Events,
        HostRoutes.Labels,
        MetricRoutes.Metrics,
        InsightRoutes.Gpus,
        InsightRoutes.Insights,
        InsightRoutes.Usage,
        InsightRoutes.Rules,
        FleetRoutes.Summary,
        FleetRoutes.Completeness,
        PipelineRoutes.Pipeline,
        PipelineRoutes.History,
        .. PrometheusRoutes.All,
        OperationsRoutes.Health,
        OperationsRoutes.Alive,
    ];

    /// <summary>Maps all routes.</summary>
    public static void MapGateway(this WebApplication app)
    {
        foreach (var route in All)
            route.Map(app);
        app.MapOperations();
        app.MapDashboard();
    }
}
