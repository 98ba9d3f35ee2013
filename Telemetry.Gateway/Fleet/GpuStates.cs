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

/// <summary>The thresholds between the states of a GPU. They are nowhere else.</summary>
public static class GpuStates
{
    /// <summary>A GPU whose newest record is older is lost.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(60);

    /// <summary>Below this many percent of utilization a GPU is idle.</summary>
    public const double IdleBelowPercent = 5;

    /// <summary>Above this much used memory, in MiB, an idle GPU is held.</summary>
    public const double HeldAboveMiB = 1024;

    /// <summary>Above this share of used and free memory an idle GPU is held, whatever its size.</summary>
    public const double HeldAboveShare = 0.02;

    /// <summary>
    /// The state by the newest record. How busy a GPU is, is its engine's activity (<c>gr_engine_active</c>, 0 to 1) where
    /// it is measured, which also works for MIG instances, and otherwise <c>gpu_utilization</c> (percent).
    /// </summary>
    public static GpuState Of(IReadOnlyDictionary<string, double> metrics, TimeSpan age)
    {
        if (age > LostAfter)
            return GpuState.Lost;
        double percent;
        if (metrics.TryGetValue("gr_engine_active", out var ratio))
            percent = ratio * 100;
        else if (!metrics.TryGetValue("gpu_utilization", out percent))
            return GpuState.Unknown;
        if (percent >= IdleBelowPercent)
            return GpuState.Active;
        return IsHeld(metrics) ? GpuState.IdleHeld : GpuState.Idle;
    }

    private static bool IsHeld(IReadOnlyDictionary<string, double> metrics) =>
        metrics.TryGetValue("memory_used_mb", out var used)
        && (used > HeldAboveMiB || (metrics.TryGetValue("memory_free_mb", out var free) && used > HeldAboveShare * (used + free)));
}
