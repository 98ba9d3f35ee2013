using System.Globalization;
using System.Text.Json;

namespace Telemetry.Benchmarks.Broker;

/// <summary>Where figures go.</summary>
internal interface IReport
{
    /// <summary>A fact in words.</summary>
    void Note(string name, string text);

    /// <summary>The runs of one line.</summary>
    void Add(IReadOnlyList<Measurement> runs);
}

/// <summary>A table for people, line by line as it is measured.</summary>
internal sealed class TableReport : IReport
{
    private bool _begun;

    /// <inheritdoc/>
    public void Note(string name, string text) => Console.WriteLine($"{name,-10}  {text}");

    /// <inheritdoc/>
    public void Add(IReadOnlyList<Measurement> runs)
    {
        if (!_begun)
        {
            Console.WriteLine($"{"scenario",-22} {"mode",-8} {"batch",5} {"prod",4} {"in rec/s",11} {"out rec/s",11} {"p50",7} {"p99",7} {"p99.9",7} {"max",7} {"alloc B",8} {"cpu ns",7} {"syncs/s",7}  range");
        }
        _begun = true;
        var line = Measurement.Median(runs);
        var rates = runs.Select(run => run.In ?? run.Out ?? 0).ToList();
        var range = runs.Count > 1 ? $"  {rates.Min().ToString("n0", CultureInfo.InvariantCulture)} to {rates.Max().ToString("n0", CultureInfo.InvariantCulture)}" : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{line.Scenario,-22} {line.Case.Mode,-8} {line.Case.Batch,5} {line.Case.Producers,4} {line.In,11:n0} {line.Out,11:n0} {line.P50,7:n2} {line.P99,7:n2} {line.P999,7:n2} {line.Max,7:n1} {line.AllocatedBytes,8:n1} {line.CpuNs,7:n0} {line.Syncs,7:n0}{range}"));
    }
}

/// <summary>JSON, a line each, for programs.</summary>
internal sealed class JsonReport : IReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <inheritdoc/>
    public void Note(string name, string text) => Write(new { note = name, text });

    /// <inheritdoc/>
    public void Add(IReadOnlyList<Measurement> runs)
    {
        foreach (var run in runs)
            Write(run);
    }

    private static void Write<T>(T line) => Console.WriteLine(JsonSerializer.Serialize(line, Options));
}
