namespace Telemetry.Gateway.Fleet;

/// <summary>
/// The bits of <c>clock_event_reasons</c>: why a GPU's clock is not what it could be. After NVIDIA's NVML
/// (<c>nvmlClocksEventReasons</c>).
/// </summary>
internal static class ClockEvents
{
    /// <summary>The metric.</summary>
    public const string Metric = "clock_event_reasons";

    /// <summary>The bits that mean a lowered clock, by name.</summary>
    public static readonly IReadOnlyDictionary<string, long> Bits = new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["sw_power_cap"] = 0x4,
        ["hw_slowdown"] = 0x8,
        ["sync_boost"] = 0x10,
        ["sw_thermal"] = 0x20,
        ["hw_thermal"] = 0x40,
        ["power_brake"] = 0x80,
    };

    /// <summary>The names of the bits of a value that are in a mask.</summary>
    public static string Names(double value, long mask) =>
        string.Join(", ", Bits.Where(b => ((long)value & mask & b.Value) != 0).Select(b => b.Key));
}
