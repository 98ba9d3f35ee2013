using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Hosts and their GPUs.</summary>
internal static class HostRoutes
{
    private static readonly TextParameter HostInPath = new("host_id", "The host, percent-encoded; a slash in it is %2F.")
    {
        Example = Examples.Host,
        InPath = true,
        Required = true,
    };

    /// <summary>GET /api/v1/telemetry/hosts.</summary>
    public static readonly ApiRoute<HostsAnswer> Hosts = new()
    {
        Path = "/api/v1/telemetry/hosts",
        OperationId = "listHosts",
        Tag = Tags.Telemetry,
        Summary = "Lists the hosts",
        Description = "Every host of which a record was ever stored, by name, with its GPUs counted and the times of its oldest and newest record.",
        Answer = HostsAsync,
        Example = new HostsAnswer
        {
            Data = [new KnownHost { HostId = Examples.Host, GpuCount = 8, FirstSeen = Examples.Time.AddDays(-3), LastSeen = Examples.Time }],
            Total = 1,
        },
    };

    /// <summary>GET /api/v1/telemetry/hosts/{host_id}/gpus.</summary>
    public static readonly ApiRoute<GpusAnswer> Gpus = new()
    {
        Path = "/api/v1/telemetry/hosts/{host_id}/gpus",
        OperationId = "listGpusOfHost",
        Tag = Tags.Telemetry,
        Summary = "Lists a host's GPUs",
        Description = "The GPUs of a host by index, each with its newest labels and the times of its oldest and newest record.",
        Parameters = [HostInPath],
        MayBeUnknown = true,
        Answer = GpusAsync,
        Example = new GpusAnswer
        {
            Data =
            [
                new KnownGpu
                {
                    HostId = Examples.Host,
                    GpuId = Examples.Gpu,
                    Uuid = Examples.Uuid,
                    Model = Examples.Model,
                    Device = Examples.Device,
                    Pod = "train-7b-0",
                    Namespace = "research",
                    Container = "trainer",
                    FirstSeen = Examples.Time.AddDays(-3),
                    LastSeen = Examples.Time,
                },
            ],
            Total = 1,
        },
    };

    private static async Task<HostsAnswer> HostsAsync(ApiRequest request)
    {
        var hosts = await request.Store.HostsAsync(request.Stop);
        return new HostsAnswer
        {
            Data = [.. hosts.Select(h => new KnownHost { HostId = h.HostId, GpuCount = h.GpuCount, FirstSeen = h.FirstSeen, LastSeen = h.LastSeen })],
            Total = hosts.Count,
        };
    }

    private static async Task<GpusAnswer> GpusAsync(ApiRequest request)
    {
        var gpus = await request.KnownGpusAsync(request.Get(HostInPath)!, null);
        return new GpusAnswer { Data = [.. gpus.Select(Answer)], Total = gpus.Count };
    }

    private static KnownGpu Answer(GpuRow row) => new()
    {
        HostId = row.Gpu.HostId,
        GpuId = row.Gpu.GpuId,
        Uuid = TelemetryRecord.Label(row.Gpu.Uuid),
        Model = TelemetryRecord.Label(row.Gpu.Model),
        Device = TelemetryRecord.Label(row.Gpu.Device),
        Pod = TelemetryRecord.Label(row.Gpu.Pod),
        Namespace = TelemetryRecord.Label(row.Gpu.Namespace),
        Container = TelemetryRecord.Label(row.Gpu.Container),
        FirstSeen = row.FirstSeen,
        LastSeen = row.LastSeen,
    };
}
