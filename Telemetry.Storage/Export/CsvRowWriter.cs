using CsvHelper;
using Telemetry.Storage.Queries;
using Telemetry.Storage.Schema;

namespace Telemetry.Storage.Export;

/// <summary>A header and a line a row; what a row does not have is empty. Numbers are the shortest that read back the same.</summary>
internal sealed class CsvRowWriter : RowWriter
{
    // What spreadsheets take for a formula (OWASP, CSV injection). Numbers are written as numbers, so that -5 stays one.
    private const string FormulaCharacters = "=+-@\t\r\n";

    private readonly IReadOnlyList<string> _metrics;
    private readonly CsvWriter _csv;

    public CsvRowWriter(Stream stream, IReadOnlyList<string> metrics, bool escapesFormulas)
    {
        _metrics = metrics;
        var options = CsvWriterOptions.Default with { NewLine = "\n" };
        if (escapesFormulas)
            options = options with { Injection = CsvInjection.Escape, InjectionCharacters = FormulaCharacters };
        _csv = CsvWriter.Create(stream, options, leaveOpen: true);
        foreach (var name in TelemetryView.LabelColumns.Concat(metrics))
            _csv.WriteField(name);
        _csv.EndRecord();
    }

    public override void Write(TelemetryRow row)
    {
        _csv.WriteField(Text(row.Timestamp));
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

    public override ValueTask DisposeAsync() => _csv.DisposeAsync();
}
