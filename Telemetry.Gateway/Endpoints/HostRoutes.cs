using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Hosts and their GPUs.</summary>
internal static class HostRoutes
{
    private static readonly TextParameter GpuInPath = new("gpu_id", "The GPU's index on the host, percent-encoded; a slash in it is %2F.")
    {
        Example = Examples.Gpu,
        InPath = true,
        Required = true,
    };

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
        ChangesRarely = true,
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
        ChangesRarely = true,
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

    /// <summary>GET /api/v1/telemetry/hosts/{host_id}/gpus/{gpu_id}/events.</summary>
    public static readonly ApiRoute<EventsAnswer> Events = new()
    {
        Path = "/api/v1/telemetry/hosts/{host_id}/gpus/{gpu_id}/events",
        OperationId = "listEventsOfGpu",
        Tag = Tags.Telemetry,
        Summary = "Lists what happened to a GPU",
        Description = $"XIDs, lowered clocks, rising counters of uncorrectable errors, times without records, and changes of labels, newest first. At most {GpuEvents.RangeMax.TotalDays:0} days at once. What began before the range begins with it.",
        Parameters = [HostInPath, GpuInPath, TimeWindow.Range, TimeWindow.Start, TimeWindow.End],
        MayBeUnknown = true,
        Answer = EventsAsync,
        Example = new EventsAnswer
        {
            StartTime = Examples.Time.AddHours(-1),
            EndTime = Examples.Time,
            Data =
            [
                new GpuEvent
                {
                    Timestamp = Examples.Time.AddMinutes(-20),
                    EndTime = null,
                    Kind = EventKind.Xid,
                    Severity = Severity.Critical,
                    Title = "XID 79",
                    Text = "GPU has fallen off the bus",
                    Advice = "Drain the node and restart it; check power, seating and PCIe; replace the GPU if it returns.",
                },
            ],
            Total = 1,
        },
    };

    /// <summary>GET /api/v1/telemetry/hosts/{host_id}/gpus/{gpu_id}/labels.</summary>
    public static readonly ApiRoute<LabelsAnswer> Labels = new()
    {
        Path = "/api/v1/telemetry/hosts/{host_id}/gpus/{gpu_id}/labels",
        OperationId = "listLabelsOfGpu",
        Tag = Tags.Telemetry,
        Summary = "Lists the labels that a GPU has had",
        Description = "Each set of labels with the times of its oldest and newest record: which pods held the GPU, and which boards were in its place. The one seen last comes first.",
        Parameters = [HostInPath, GpuInPath],
        MayBeUnknown = true,
        ChangesRarely = true,
        Answer = LabelsAsync,
        Example = new LabelsAnswer
        {
            Data =
            [
                new LabelSet
                {
                    Uuid = Examples.Uuid,
                    Model = Examples.Model,
                    Device = Examples.Device,
                    Pod = "train-7b-0",
                    Namespace = "research",
                    Container = "trainer",
                    FirstSeen = Examples.Time.AddHours(-5),
                    LastSeen = Examples.Time,
                },
            ],
            Total = 1,
        },
    };

    private static async Task<EventsAnswer> EventsAsync(ApiRequest request)
    {
        var range = TimeWindow.Read(request.Values, request.Now);
        // A range that ends now has up to a minute more than its name says.
        if (range.End - range.Start > GpuEvents.RangeMax + TimeSpan.FromMinutes(2))
            throw Problems.InvalidParameter(TimeWindow.Start.Name, $"is more than {GpuEvents.RangeMax.TotalDays:0} days before the end of the range; ask for a shorter one");
        var (hostId, gpuId) = (request.Get(HostInPath)!, request.Get(GpuInPath)!);
        var gpu = (await request.KnownGpusAsync(hostId, gpuId)).Single(g => g.Gpu.GpuId == gpuId);
        var events = await GpuEvents.OfAsync(request.Store, request.Services.Rules, gpu, range, request.Now, request.Stop);
        return new EventsAnswer { StartTime = range.Start, EndTime = range.End, Data = events, Total = events.Count };
    }

    private static async Task<LabelsAnswer> LabelsAsync(ApiRequest request)
    {
        var (hostId, gpuId) = (request.Get(HostInPath)!, request.Get(GpuInPath)!);
        await request.KnownGpusAsync(hostId, gpuId);
        var sets = await request.Store.LabelsAsync(hostId, gpuId, request.Stop);
        return new LabelsAnswer
        {
            Data = [.. sets.Select(s => new LabelSet
            {
                Uuid = TelemetryRecord.Label(s.Gpu.Uuid),
                Model = TelemetryRecord.Label(s.Gpu.Model),
                Device = TelemetryRecord.Label(s.Gpu.Device),
                Pod = TelemetryRecord.Label(s.Gpu.Pod),
                Namespace = TelemetryRecord.Label(s.Gpu.Namespace),
                Container = TelemetryRecord.Label(s.Gpu.Container),
                FirstSeen = s.FirstSeen,
                LastSeen = s.LastSeen,
            })],
            Total = sets.Count,
        };
    }

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
