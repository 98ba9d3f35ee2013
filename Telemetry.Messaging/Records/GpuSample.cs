namespace Telemetry.Messaging.Records;

/// <summary>One observation of one GPU: the record of the pipeline.</summary>
/// <param name="TimeUnixMs">When it was observed, in milliseconds since 1970-01-01 UTC.</param>
/// <param name="Identity">Which GPU.</param>
/// <param name="Values">Its metrics by name, finite; a metric that was not measured is not in the list.</param>
public sealed record GpuSample(long TimeUnixMs, GpuIdentity Identity, IReadOnlyList<MetricValue> Values);

/// <summary>One metric of a record.</summary>
/// <param name="Name">The metric's column name, in snake_case, as <c>gpu_utilization</c>.</param>
/// <param name="Value">The value, finite, in the unit that the name or FORMATS says.</param>
public readonly record struct MetricValue(string Name, double Value);
