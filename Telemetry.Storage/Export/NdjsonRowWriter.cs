using System.Text.Json;
using Telemetry.Storage.Queries;

namespace Telemetry.Storage.Export;

/// <summary>A JSON object a line, as the API shows a record; what a row does not have is left out.</summary>
internal sealed class NdjsonRowWriter(Stream stream) : RowWriter
{
    private readonly Utf8JsonWriter _json = new(stream, new JsonWriterOptions { SkipValidation = true });

    public override void Write(TelemetryRow row)
    {
        _json.WriteStartObject();
        _json.WriteString("timestamp", Text(row.Timestamp));
        Label("host_id", row.Gpu.HostId);
        Label("gpu_id", row.Gpu.GpuId);
        Label("uuid", row.Gpu.Uuid);
        Label("model", row.Gpu.Model);
        Label("device", row.Gpu.Device);
        Label("pod", row.Gpu.Pod);
        Label("namespace", row.Gpu.Namespace);
        Label("container", row.Gpu.Container);
        _json.WriteStartObject("metrics");
        foreach (var (metric, value) in row.Metrics)
            _json.WriteNumber(metric, value);
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.Flush();
        stream.WriteByte((byte)'\n');
        _json.Reset();
    }

    public override ValueTask DisposeAsync() => _json.DisposeAsync();

    private void Label(string name, string value)
    {
        if (value.Length > 0)
            _json.WriteString(name, value);
    }
}
