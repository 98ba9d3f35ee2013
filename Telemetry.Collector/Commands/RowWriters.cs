using System.Globalization;
using System.Text.Json;
using CsvHelper;
using Telemetry.Storage.Queries;

namespace Telemetry.Collector.Commands;

/// <summary>Writes rows to a stream; disposing writes what is still in hand.</summary>
internal interface IRowWriter : IAsyncDisposable
{
    /// <summary>Writes a row.</summary>
    void Write(TelemetryRow row);
}

/// <summary>Times as the exports write them: RFC 3339 in UTC, with milliseconds.</summary>
internal static class ExportTime
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>A header and a line a row; what a row does not have is empty. Numbers are the shortest that read back the same.</summary>
internal sealed class CsvRowWriter : IRowWriter
{
    private static readonly string[] Labels = ["timestamp", "host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container"];

    private readonly IReadOnlyList<string> _metrics;
    private readonly CsvWriter _csv;

    public CsvRowWriter(Stream stream, IReadOnlyList<string> metrics)
    {
        _metrics = metrics;
        _csv = CsvWriter.Create(stream, CsvWriterOptions.Default with { NewLine = "\n" }, leaveOpen: true);
        foreach (var name in Labels.Concat(metrics))
            _csv.WriteField(name);
        _csv.EndRecord();
    }

    public void Write(TelemetryRow row)
    {
        _csv.WriteField(ExportTime.Of(row.Timestamp));
        var gpu = row.Gpu;
        foreach (var label in (ReadOnlySpan<string>)[gpu.HostId, gpu.GpuId, gpu.Uuid, gpu.Model, gpu.Device, gpu.Pod, gpu.Namespace, gpu.Container])
            _csv.WriteField(label);
        foreach (var metric in _metrics)
        {
            if (row.Metrics.TryGetValue(metric, out var value))
                _csv.WriteField(value, default);
            else
                _csv.WriteField("");
        }
        _csv.EndRecord();
    }

    public ValueTask DisposeAsync() => _csv.DisposeAsync();
}

/// <summary>A JSON object a line, as the API shows a record; what a row does not have is left out.</summary>
internal sealed class NdjsonRowWriter(Stream stream) : IRowWriter
{
    private readonly Utf8JsonWriter _json = new(stream, new JsonWriterOptions { SkipValidation = true });

    public void Write(TelemetryRow row)
    {
        _json.WriteStartObject();
        _json.WriteString("timestamp", ExportTime.Of(row.Timestamp));
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

    public ValueTask DisposeAsync() => _json.DisposeAsync();

    private void Label(string name, string value)
    {
        if (value.Length > 0)
            _json.WriteString(name, value);
    }
}
