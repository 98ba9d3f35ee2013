using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>The application as the page shows it.</summary>
internal sealed record ApplicationView(string Name, DateTimeOffset Now, string? TraceReceiver, IReadOnlyList<ResourceView> Resources);

/// <summary>A resource: its replicas, where it is, and what it needs.</summary>
internal sealed record ResourceView(
    string Name, IReadOnlyList<ReplicaView> Replicas, IReadOnlyList<AddressView> Endpoints, IReadOnlyList<AddressView> Urls,
    IReadOnlyList<string> DependsOn, bool HasMetrics);

/// <summary>A replica.</summary>
/// <param name="Id">As <c>broker-0</c>.</param>
/// <param name="State">What it does, in a word or two.</param>
/// <param name="Kind">How good that is: <c>ok</c>, <c>busy</c>, <c>bad</c> or <c>off</c>.</param>
/// <param name="Detail">Why; empty where there is nothing to say.</param>
/// <param name="IsRunning">Whether there is a process, or one is being started: it can be stopped.</param>
/// <param name="CanStart">Whether it can be started now.</param>
/// <param name="ProcessId">The process, while there is one.</param>
/// <param name="StartedAt">When the newest process was started.</param>
/// <param name="StoppedAt">When it ended.</param>
/// <param name="NextStartAt">When a failed process is started again.</param>
/// <param name="Restarts">How often it was started again because it had failed.</param>
/// <param name="ExitCode">The exit code of the process that ended last.</param>
/// <param name="Endpoints">Its own addresses, behind those of the resource.</param>
/// <param name="Environment">The variables that the host sets.</param>
internal sealed record ReplicaView(
    string Id, string State, string Kind, string Detail, bool IsRunning, bool CanStart, int? ProcessId, DateTime? StartedAt, DateTime? StoppedAt,
    DateTime? NextStartAt, int Restarts, int? ExitCode, IReadOnlyList<AddressView> Endpoints, IReadOnlyList<VariableView> Environment);

/// <summary>An address; <paramref name="IsLink"/> says whether a browser can open it.</summary>
internal sealed record AddressView(string Name, string Url, bool IsLink);

/// <summary>An environment variable; of a masked one, the value is not sent at all, or only what is not secret of it.</summary>
internal sealed record VariableView(string Name, string Value, bool IsMasked);

/// <summary>Lines of logs, and how many were lost before them because the browser was slow.</summary>
internal sealed record LogView(long Missed, IReadOnlyList<LineView> Lines);

/// <summary>A line.</summary>
internal sealed record LineView(long Id, DateTimeOffset Time, string Source, bool IsError, string? Level, string? Category, string Text)
{
    public static LineView Of(LogLine line) =>
        new(line.Sequence, line.Time, line.Source, line.IsError, Word(line.Content.Level), line.Content.Category, line.Content.Text);

    private static string? Word(LogLevel? level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error or LogLevel.Critical => "error",
        _ => null,
    };
}

/// <summary>The metrics of a resource's replicas at one moment.</summary>
internal sealed record MetricsView(DateTimeOffset Time, IReadOnlyList<ReplicaMetrics> Replicas);

/// <summary>The metrics of a replica, or why there are none.</summary>
internal sealed record ReplicaMetrics(string Id, string? Problem, bool IsCut, IReadOnlyList<MetricSample> Samples);

/// <summary>A value; of a histogram, how many were observed, and their sum.</summary>
internal sealed record MetricSample(string Name, string Type, string Help, string Labels, double Value, double? Sum);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ApplicationView))]
[JsonSerializable(typeof(LogView))]
[JsonSerializable(typeof(MetricsView))]
internal sealed partial class DashboardJson : JsonSerializerContext;
