using System.Globalization;
using Telemetry.Gateway.Export;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Export;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Records as a file.</summary>
internal static class ExportRoutes
{
    private static readonly ChoiceParameter<ExportFormat> Format = new(
        "format", "csv (a header and a line for each record) or ndjson (a JSON object a line).", ExportFormat.Csv, "csv",
        ("csv", ExportFormat.Csv), ("ndjson", ExportFormat.Ndjson))
    {
        Example = "ndjson",
    };

    /// <summary>GET /api/v1/telemetry/export.</summary>
    public static readonly StreamRoute Export = new()
    {
        Path = "/api/v1/telemetry/export",
        OperationId = "exportTelemetry",
        Tag = Tags.Telemetry,
        Summary = "Exports records as a file",
        Description = """
            All records of a range, host or GPU as a stream: by hour, within an hour by GPU (each set of labels in the order in which the store met it), then by time. Each record once; of those that come meanwhile some. What was not measured is empty in CSV and left out of NDJSON. Times are UTC with milliseconds, numbers read back bit for bit.

            A label in CSV that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line end) has an apostrophe in front; NDJSON has labels as they are. An answer that is cut off in the middle ends without its last chunk, so that clients fail and do not take a part for the whole; one of which nothing moves for 30 s is cut off.
            """,
        Parameters = [Format, Filters.HostId, Filters.GpuId, TimeWindow.Start, TimeWindow.End, Filters.Metrics],
        MayBeUnknown = true,
        Bounds = options => options.Exports,
        Begin = ExportAsync,
        Examples =
        [
            ("text/csv", """
                timestamp,host_id,gpu_id,uuid,model,device,pod,namespace,container,power_w,temperature_c
                2025-07-18T20:42:34.000Z,mtv5-dgx1-hgpu-031,0,GPU-5fd4f087-86f3-7a43-b711-4771313afc50,NVIDIA H100 80GB HBM3,nvidia0,train-7b-0,research,trainer,412.5,

                """),
            ("application/x-ndjson", """
                {"timestamp":"2025-07-18T20:42:34.000Z","host_id":"mtv5-dgx1-hgpu-031","gpu_id":"0","metrics":{"power_w":412.5}}

                """),
        ],
    };

    private static async Task<StreamAnswer> ExportAsync(ApiRequest request)
    {
        var (start, end) = TimeWindow.ReadOpen(request.Values);
        var (hostId, gpuId, metrics) = (request.Get(Filters.HostId), request.Get(Filters.GpuId), request.Get(Filters.Metrics));
        if (hostId is not null)
            await request.KnownGpusAsync(hostId, gpuId);
        await MetricNames.CheckAsync(request.Store, Filters.Metrics.Name, metrics, request.Stop);

        var format = request.Get(Format);
        var query = new ExportQuery
        {
            HostId = hostId,
            GpuId = gpuId,
            Start = start,
            End = end,
            Metrics = metrics ?? await request.Store.MetricsAsync(request.Stop),
        };
        var (type, extension) = format == ExportFormat.Csv ? ("text/csv; charset=utf-8", "csv") : ("application/x-ndjson", "ndjson");
        return new StreamAnswer(type, new ExportStream(request.Services, query, format).WriteAsync)
        {
            FileName = string.Create(CultureInfo.InvariantCulture, $"telemetry-{request.Now:yyyyMMdd'T'HHmmss'Z'}.{extension}"),
        };
    }
}
