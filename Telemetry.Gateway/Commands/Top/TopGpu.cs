using System.Text.Json.Serialization;
using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;

namespace Telemetry.Gateway.Commands.Top;

/// <summary>What <c>top</c> shows of a GPU. What is not known is null: of a lost GPU nothing is known now.</summary>
internal sealed class TopGpu(LatestGpu record)
{
    /// <summary>The newest record.</summary>
    public LatestGpu Record => record;

    /// <summary>How busy it is, percent.</summary>
    public double? Busy { get; } = GpuStates.BusyPercent(Known(record, GpuStates.EngineMetric), Known(record, GpuStates.UtilizationMetric));

    /// <summary>Memory in use, MiB.</summary>
    public double? MemoryUsed { get; } = Known(record, GpuStates.MemoryUsedMetric);

    /// <summary>Memory in all, MiB; not every source says what is free.</summary>
    public double? MemoryTotal { get; } = Known(record, GpuStates.MemoryUsedMetric) + Known(record, GpuStates.MemoryFreeMetric) ?? Known(record, "memory_total_mb");

    /// <summary>Degrees Celsius.</summary>
    public double? Temperature { get; } = Known(record, "temperature_c");

    /// <summary>Watts.</summary>
    public double? Power { get; } = Known(record, "power_w");

    /// <summary>Memory in use, 0 to 1.</summary>
    public double? MemoryShare => MemoryTotal > 0 ? MemoryUsed / MemoryTotal : null;

    private static double? Known(LatestGpu record, string metric) =>
        record.State != GpuState.Lost && record.Metrics.TryGetValue(metric, out var value) ? value : null;
}

/// <summary>By what GPUs are sorted.</summary>
internal enum TopSort
{
    /// <summary>The busiest first.</summary>
    Util,

    /// <summary>The fullest first.</summary>
    Mem,

    /// <summary>The hottest first.</summary>
    Temp,

    /// <summary>The thirstiest first.</summary>
    Power,

    /// <summary>The longest silent first.</summary>
    Age,

    /// <summary>By host and GPU.</summary>
    Host,
}

/// <summary>Which GPUs, in which order.</summary>
/// <param name="Sort">The order.</param>
/// <param name="Filter">A part of the host, model, pod or namespace; null for all.</param>
/// <param name="State">Only those of this state; null for all.</param>
internal sealed record TopView(TopSort Sort, string? Filter, GpuState? State)
{
    /// <summary>Those that are shown; of equals, by host and GPU. Where a value is not known, it is the last.</summary>
    /// <param name="gpus">All, by host and GPU.</param>
    public IReadOnlyList<TopGpu> Of(IEnumerable<TopGpu> gpus)
    {
        var shown = gpus.Where(g => (State is null || g.Record.State == State) && (Filter is not { } text || Matches(g.Record, text)));
        return Sort == TopSort.Host ? [.. shown] : [.. shown.OrderByDescending(g => Key(g) ?? double.NegativeInfinity)];
    }

    /// <summary>The next order, as a key chooses it.</summary>
    public TopView NextSort() => this with { Sort = Sort == TopSort.Host ? TopSort.Util : Sort + 1 };

    private double? Key(TopGpu gpu) => Sort switch
    {
        TopSort.Util => gpu.Busy,
        TopSort.Mem => gpu.MemoryShare ?? gpu.MemoryUsed / 1e9, // one without its size comes after those with it
        TopSort.Temp => gpu.Temperature,
        TopSort.Power => gpu.Power,
        _ => gpu.Record.AgeSeconds,
    };

    private static bool Matches(LatestGpu record, string text) =>
        new[] { record.HostId, record.Model, record.Pod, record.Namespace }.Any(label => label?.Contains(text, StringComparison.OrdinalIgnoreCase) == true);
}

/// <summary>The fleet in figures.</summary>
internal sealed record TopSummary
{
    /// <summary>All GPUs.</summary>
    public required int Gpus { get; init; }

    /// <summary>How many there are of each state; those that there are none of are 0.</summary>
    public required IReadOnlyDictionary<string, int> States { get; init; }

    /// <summary>The sum of the power of those that say it, watts; null where none does.</summary>
    public required double? PowerW { get; init; }

    /// <summary>The temperature of the hottest, degrees Celsius; null where none says it.</summary>
    public required double? HottestC { get; init; }

    /// <summary>The hottest, as <c>host/gpu</c>.</summary>
    public required string? Hottest { get; init; }

    /// <summary>Of these GPUs.</summary>
    public static TopSummary Of(IReadOnlyList<TopGpu> gpus)
    {
        var hottest = gpus.Where(g => g.Temperature is not null).MaxBy(g => g.Temperature);
        return new TopSummary
        {
            Gpus = gpus.Count,
            States = Enum.GetValues<GpuState>().ToDictionary(TopText.State, state => gpus.Count(g => g.Record.State == state)),
            PowerW = gpus.Any(g => g.Power is not null) ? Math.Round(gpus.Sum(g => g.Power ?? 0), 1) : null,
            HottestC = hottest?.Temperature,
            Hottest = hottest is null ? null : $"{hottest.Record.HostId}/{hottest.Record.GpuId}",
        };
    }
}

/// <summary>What <c>top --json</c> writes.</summary>
internal sealed record TopAnswer
{
    /// <summary>When the gateway was asked.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>All GPUs in figures.</summary>
    public required TopSummary Summary { get; init; }

    /// <summary>Those asked for, in the order asked for.</summary>
    [JsonPropertyName("data")]
    public required IReadOnlyList<LatestGpu> Data { get; init; }

    /// <summary>How many match, also beyond the limit.</summary>
    public required int Total { get; init; }
}
