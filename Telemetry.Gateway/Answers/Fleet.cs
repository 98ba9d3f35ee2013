using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Telemetry.Gateway.Fleet;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Answers;

/// <summary>
/// The newest record of every GPU, column by column: entry i of each list is of GPU i. A third of the bytes of the same as
/// records, and quick to draw.
/// </summary>
public sealed record FleetGpusAnswer
{
    /// <summary>The gateway's time, which the ages count to.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>How many GPUs there are.</summary>
    public required int Total { get; init; }

    /// <summary>The hosts.</summary>
    public required IReadOnlyList<string> HostId { get; init; }

    /// <summary>The GPUs' indexes on their hosts.</summary>
    public required IReadOnlyList<string> GpuId { get; init; }

    /// <summary>The GPUs' UUIDs; null where the source does not say, as for the labels that follow.</summary>
    public required IReadOnlyList<string?> Uuid { get; init; }

    /// <summary>The model names.</summary>
    public required IReadOnlyList<string?> Model { get; init; }

    /// <summary>The devices' names on their hosts.</summary>
    public required IReadOnlyList<string?> Device { get; init; }

    /// <summary>The Kubernetes pods that held the GPUs.</summary>
    public required IReadOnlyList<string?> Pod { get; init; }

    /// <summary>The pods' namespaces.</summary>
    public required IReadOnlyList<string?> Namespace { get; init; }

    /// <summary>The pods' containers.</summary>
    public required IReadOnlyList<string?> Container { get; init; }

    /// <summary>Seconds since the records' times, at least 0.</summary>
    public required IReadOnlyList<double> AgeSeconds { get; init; }

    /// <summary>What the GPUs are doing.</summary>
    public required IReadOnlyList<GpuState> State { get; init; }

    /// <summary>By metric: the values, null where one was not measured.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<double?>> Metrics { get; init; }

    internal static FleetGpusAnswer Of(IReadOnlyList<LatestRow> rows, IReadOnlyList<string> metrics, FleetRules rules, DateTimeOffset now)
    {
        var ages = rows.Select(r => LatestGpu.Age(r, now)).ToList();
        return new FleetGpusAnswer
        {
            Time = now,
            Total = rows.Count,
            HostId = [.. rows.Select(r => r.Row.Gpu.HostId)],
            GpuId = [.. rows.Select(r => r.Row.Gpu.GpuId)],
            Uuid = Labels(rows, gpu => gpu.Uuid),
            Model = Labels(rows, gpu => gpu.Model),
            Device = Labels(rows, gpu => gpu.Device),
            Pod = Labels(rows, gpu => gpu.Pod),
            Namespace = Labels(rows, gpu => gpu.Namespace),
            Container = Labels(rows, gpu => gpu.Container),
            AgeSeconds = [.. ages.Select(age => Math.Round(age.TotalSeconds, 3))],
            State = [.. rows.Zip(ages, (row, age) => GpuStates.Of(rules, row.Row.Metrics, age))],
            Metrics = metrics.ToDictionary(
                m => m, m => (IReadOnlyList<double?>)[.. rows.Select(r => r.Row.Metrics.TryGetValue(m, out var value) ? value : (double?)null)], StringComparer.Ordinal),
        };
    }

    private static List<string?> Labels(IReadOnlyList<LatestRow> rows, Func<GpuLabels, string> label) =>
        [.. rows.Select(r => TelemetryRecord.Label(label(r.Row.Gpu)))];
}

/// <summary>What is to be known of a GPU.</summary>
public enum FindingKind
{
    /// <summary>It has stopped reporting.</summary>
    [JsonStringEnumMemberName("lost")]
    Lost,

    /// <summary>Its hardware or driver reported an error.</summary>
    [JsonStringEnumMemberName("failing")]
    Failing,

    /// <summary>It is hot.</summary>
    [JsonStringEnumMemberName("hot")]
    Hot,

    /// <summary>Its clock is lowered.</summary>
    [JsonStringEnumMemberName("throttled")]
    Throttled,

    /// <summary>Some of its records do not arrive.</summary>
    [JsonStringEnumMemberName("incomplete")]
    Incomplete,

    /// <summary>It does nothing while its memory is held.</summary>
    [JsonStringEnumMemberName("idle_held")]
    IdleHeld,

    /// <summary>It does nothing.</summary>
    [JsonStringEnumMemberName("idle")]
    Idle,

    /// <summary>Its job failed with an XID.</summary>
    [JsonStringEnumMemberName("application_error")]
    ApplicationError,
}

/// <summary>A figure that a finding rests on.</summary>
public sealed record Evidence
{
    /// <summary>The metric, or completeness.</summary>
    public required string Metric { get; init; }

    /// <summary>Its value.</summary>
    public required double Value { get; init; }

    /// <summary>The threshold; null where there is none.</summary>
    public required double? Threshold { get; init; }

    /// <summary>When it was measured.</summary>
    public required DateTimeOffset Timestamp { get; init; }
}

/// <summary>Something to be known of a GPU, with the reason.</summary>
public sealed record Finding
{
    /// <summary>What it is.</summary>
    public required FindingKind Kind { get; init; }

    /// <summary>How bad it is.</summary>
    public required Severity Severity { get; init; }

    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }

    /// <summary>The GPU's index on its host.</summary>
    public required string GpuId { get; init; }

    /// <summary>The GPU's UUID; null where the source does not say, as for the labels that follow.</summary>
    public required string? Uuid { get; init; }

    /// <summary>The GPU's model name.</summary>
    public required string? Model { get; init; }

    /// <summary>The Kubernetes pod that holds it.</summary>
    public required string? Pod { get; init; }

    /// <summary>That pod's namespace.</summary>
    public required string? Namespace { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Whether it was so already in the oldest record that was looked at, so that it may have begun before.</summary>
    public required bool SinceAtLeast { get; init; }

    /// <summary>A sentence with the figures.</summary>
    public required string Reason { get; init; }

    /// <summary>What to do.</summary>
    public required string Advice { get; init; }

    /// <summary>The figures.</summary>
    public required IReadOnlyList<Evidence> Evidence { get; init; }
}

/// <summary>How many GPUs are in which state.</summary>
public sealed record FleetSummaryState
{
    /// <summary>GPUs of which a record was ever stored.</summary>
    public required int Gpus { get; init; }

    /// <summary>GPUs that report.</summary>
    public required int Reporting { get; init; }

    /// <summary>GPUs that a pod holds; null where no GPU has a pod.</summary>
    public required int? Allocated { get; init; }

    /// <summary>GPUs that work.</summary>
    public required int Active { get; init; }

    /// <summary>GPUs that work hard: more than effective_above_percent of the rules.</summary>
    public required int Effective { get; init; }

    /// <summary>GPUs that do nothing.</summary>
    public required int Idle { get; init; }

    /// <summary>GPUs that do nothing while their memory is held.</summary>
    public required int IdleHeld { get; init; }

    /// <summary>GPUs that report, but not how busy they are.</summary>
    public required int Unknown { get; init; }

    /// <summary>GPUs that have stopped reporting.</summary>
    public required int Lost { get; init; }

    /// <summary>GPUs with a finding of this kind, as in what follows.</summary>
    public required int Hot { get; init; }

    /// <summary>Throttled ones.</summary>
    public required int Throttled { get; init; }

    /// <summary>Failing ones.</summary>
    public required int Failing { get; init; }

    /// <summary>Ones of which records are missing.</summary>
    public required int Incomplete { get; init; }

    /// <summary>The power that reporting GPUs draw, watts; null where none is measured.</summary>
    public required double? PowerW { get; init; }

    /// <summary>The energy of the last 24 hours, by power and time; null where none is measured.</summary>
    [JsonPropertyName("energy_kwh_24h")]
    public required double? EnergyKwh24h { get; init; }
}

/// <summary>States and findings of the fleet.</summary>
public sealed record InsightsAnswer
{
    /// <summary>When it was worked out.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>How many GPUs are in which state; of the whole fleet, whatever the filters.</summary>
    public required FleetSummaryState Summary { get; init; }

    /// <summary>The findings, the worst first, of equal ones the oldest.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>How many findings there are.</summary>
    public required int Total { get; init; }
}

/// <summary>How GPUs were used.</summary>
public record UsageFigures
{
    /// <summary>Hours in which GPUs reported, added up.</summary>
    [JsonPropertyOrder(1)]
    public required double GpuHours { get; init; }

    /// <summary>Of these, hours in which the GPU worked.</summary>
    [JsonPropertyOrder(1)]
    public required double ActiveHours { get; init; }

    /// <summary>Hours in which it did nothing.</summary>
    [JsonPropertyOrder(1)]
    public required double IdleHours { get; init; }

    /// <summary>Hours in which it did nothing while its memory was held: wasted.</summary>
    [JsonPropertyOrder(1)]
    public required double IdleHeldHours { get; init; }

    /// <summary>Hours of which it is not known how busy the GPU was.</summary>
    [JsonPropertyOrder(1)]
    public required double UnknownHours { get; init; }

    /// <summary>How busy the GPUs were, percent on average; null where it is not known.</summary>
    [JsonPropertyOrder(1)]
    public required double? GpuUtilization { get; init; }

    /// <summary>Energy by power and time; null where no power was measured.</summary>
    [JsonPropertyOrder(1)]
    public required double? EnergyKwh { get; init; }

    /// <summary>Hours of which power was measured: those that the energy is of.</summary>
    [JsonPropertyOrder(1)]
    public required double EnergyHours { get; init; }
}

/// <summary>How the fleet was used in an hour.</summary>
public sealed record HourUsage : UsageFigures
{
    [SetsRequiredMembers]
    internal HourUsage(UsageFigures figures) : base(figures) => StartTime = default;

    /// <summary>The start of the hour.</summary>
    public required DateTimeOffset StartTime { get; init; }
}

/// <summary>How a host's GPUs were used.</summary>
public sealed record HostUsage : UsageFigures
{
    [SetsRequiredMembers]
    internal HostUsage(UsageFigures figures) : base(figures) => HostId = "";

    /// <summary>The host's name.</summary>
    public required string HostId { get; init; }
}

/// <summary>How a namespace used GPUs.</summary>
public sealed record NamespaceUsage : UsageFigures
{
    [SetsRequiredMembers]
    internal NamespaceUsage(UsageFigures figures) : base(figures) => Namespace = null;

    /// <summary>The namespace; null for GPUs that no namespace is known of.</summary>
    public required string? Namespace { get; init; }
}

/// <summary>How the fleet was used.</summary>
public sealed record UsageAnswer
{
    /// <summary>The start of the first hour.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>The end of the last hour, not in it.</summary>
    public required DateTimeOffset EndTime { get; init; }

    /// <summary>All of it.</summary>
    public required UsageFigures Total { get; init; }

    /// <summary>Hour by hour; an hour without records is not here.</summary>
    public required IReadOnlyList<HourUsage> Hours { get; init; }

    /// <summary>By host.</summary>
    public required IReadOnlyList<HostUsage> Hosts { get; init; }

    /// <summary>By namespace.</summary>
    public required IReadOnlyList<NamespaceUsage> Namespaces { get; init; }
}
