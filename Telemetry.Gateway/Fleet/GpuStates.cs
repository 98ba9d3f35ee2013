using System.Text.Json.Serialization;

namespace Telemetry.Gateway.Fleet;

/// <summary>What a GPU is doing, by its newest record.</summary>
public enum GpuState
{
    /// <summary>Its newest record does not say how busy it is.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    /// <summary>It works.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>It does not work, and no memory is known to be held.</summary>
    [JsonStringEnumMemberName("idle")]
    Idle,

    /// <summary>It does not work, but its memory is held: someone is paying for it.</summary>
    [JsonStringEnumMemberName("idle_held")]
    IdleHeld,

    /// <summary>It has stopped reporting; nothing is known of it now.</summary>
    [JsonStringEnumMemberName("lost")]
    Lost,
}

/// <summary>The state of a GPU by its newest record; the thresholds are the <see cref="FleetRules"/>.</summary>
public static class GpuStates
{
    /// <summary>How much of the engine is active, 0 to 1: the better signal of the two, which also works for MIG instances.</summary>
    internal const string EngineMetric = "gr_engine_active";

    /// <summary>Percent of time in which something ran.</summary>
    internal const string UtilizationMetric = "gpu_utilization";

    /// <summary>Memory in use, MiB.</summary>
    internal const string MemoryUsedMetric = "memory_used_mb";

    /// <summary>Memory that is free, MiB.</summary>
    internal const string MemoryFreeMetric = "memory_free_mb";

    /// <summary>The state by the newest record.</summary>
    /// <param name="rules">The thresholds.</param>
    /// <param name="metrics">The record's values.</param>
    /// <param name="age">The record's age.</param>
    public static GpuState Of(FleetRules rules, IReadOnlyDictionary<string, double> metrics, TimeSpan age)
    {
        if (age > rules.LostAfter)
            return GpuState.Lost;
        return Of(rules, BusyPercent(Value(metrics, EngineMetric), Value(metrics, UtilizationMetric)), Value(metrics, MemoryUsedMetric), Value(metrics, MemoryFreeMetric));
    }

    /// <summary>What a GPU does that reports.</summary>
    internal static GpuState Of(FleetRules rules, double? busyPercent, double? memoryUsed, double? memoryFree)
    {
        if (busyPercent is not { } percent)
            return GpuState.Unknown;
        if (percent >= rules.Idle.BelowPercent)
            return GpuState.Active;
        return memoryUsed > rules.Idle.HeldAboveMib || memoryUsed > rules.Idle.HeldAboveShare * (memoryUsed + memoryFree)
            ? GpuState.IdleHeld
            : GpuState.Idle;
    }

    /// <summary>How busy a GPU is in percent, by the better signal; null where neither is there.</summary>
    internal static double? BusyPercent(double? engine, double? utilization) => engine * 100 ?? utilization;

    private static double? Value(IReadOnlyDictionary<string, double> metrics, string metric) =>
        metrics.TryGetValue(metric, out var value) ? value : null;
}
