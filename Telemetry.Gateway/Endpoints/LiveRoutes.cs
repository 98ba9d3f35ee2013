using Telemetry.Gateway.Http;
using Telemetry.Gateway.Live;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Records as they come.</summary>
internal static class LiveRoutes
{
    private static readonly DurationParameter Interval = new(
        "interval", "At most one event in this time, with the newest record of each GPU that has a new one. Without it, every record comes as it is written.", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1))
    {
        Example = "5s",
    };

    /// <summary>GET /api/v1/telemetry/stream.</summary>
    public static readonly StreamRoute Stream = new()
    {
        Path = "/api/v1/telemetry/stream",
        OperationId = "streamTelemetry",
        Tag = Tags.Telemetry,
        Summary = "Streams records as they are written",
        Description = """
            Server-sent events, for `EventSource` or any HTTP client. Records come in the order of their writing, whatever their own time.

            | event | data |
            |---|---|
            | records | an array of records as in `/api/v1/telemetry/latest` |
            | heartbeat | `{"time":"…"}`, when nothing was sent for 15 s |
            | gap | `{"reason":"…"}`: the records after Last-Event-ID cannot be had; those that follow are from now on |
            | dropped | `{"reason":"…"}`, and the stream ends: the client did not keep up. It may connect again |

            A client that connects again with the header Last-Event-ID, as `EventSource` does by itself, gets every record since then once, for as long as the store keeps plain rows (RAW_RETENTION). The stream also ends, in order, when the gateway stops or the store is replaced.
            """,
        Parameters = [Filters.HostId, Filters.GpuId, Filters.Metrics, Interval],
        MayBeUnknown = true,
        Bounds = options => options.Streams,
        Begin = StreamAsync,
        Examples =
        [
            ("text/event-stream", """
                event: records
                id: 431250-9a1f03c7
                data: [{"timestamp":"2025-07-18T20:42:34Z","host_id":"mtv5-dgx1-hgpu-031","gpu_id":"0","uuid":null,"model":"NVIDIA H100 80GB HBM3","device":"nvidia0","pod":null,"namespace":null,"container":null,"metrics":{"power_w":412.5},"age_seconds":0.4,"state":"unknown"}]

                """),
        ],
    };

    private static async Task<StreamAnswer> StreamAsync(ApiRequest request)
    {
        var (hostId, gpuId) = (request.Get(Filters.HostId), request.Get(Filters.GpuId));
        var metrics = request.Get(Filters.Metrics);
        await request.Store.CheckAsync(request.Stop); // refused where the file cannot be read
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        await MetricNames.CheckAsync(request.Store, Filters.Metrics.Name, metrics, request.Stop);

        var filter = new LiveFilter(hostId, gpuId, LiveFilter.NamesOf(metrics), request.Get(Interval) ?? TimeSpan.Zero);
        var feed = request.Http.RequestServices.GetRequiredService<LiveFeed>();
        var stream = new LiveStream(feed, request.Services, filter, request.Http.Request.Headers["Last-Event-ID"].ToString());
        return new StreamAnswer("text/event-stream", stream.WriteAsync);
    }
}
