namespace Telemetry.Gateway.Fleet;

/// <summary>Units of metrics, for people: by name where it is known, else by how the name ends.</summary>
internal static class MetricUnits
{
    private static readonly Dictionary<string, (string? Unit, string Description)> Known = new(StringComparer.Ordinal)
    {
        ["gpu_utilization"] = ("%", "Time in which at least one kernel ran"),
        ["memory_utilization"] = ("%", "Time in which memory was read or written"),
        ["encoder_utilization"] = ("%", "Video encoder in use"),
        ["decoder_utilization"] = ("%", "Video decoder in use"),
        ["memory_used_mb"] = ("MiB", "Memory in use"),
        ["memory_free_mb"] = ("MiB", "Memory that is free"),
        ["memory_reserved_mb"] = ("MiB", "Memory that the driver keeps"),
        ["memory_total_mb"] = ("MiB", "Memory"),
        ["temperature_c"] = ("°C", "GPU temperature"),
        ["memory_temperature_c"] = ("°C", "Memory temperature"),
        ["power_w"] = ("W", "Power draw"),
        ["energy_mj"] = ("mJ", "Energy since boot"),
        ["sm_clock_mhz"] = ("MHz", "Clock of the streaming multiprocessors"),
        ["memory_clock_mhz"] = ("MHz", "Memory clock"),
        ["xid"] = (null, "Code of the last XID error"),
        [ClockEvents.Metric] = (null, "Why the clock is lowered, as bits"),
        ["power_violation"] = ("ns", "Time below the clock for lack of power"),
        ["thermal_violation"] = ("ns", "Time below the clock for heat"),
        ["pcie_replays"] = (null, "PCIe replays"),
        ["gr_engine_active"] = ("ratio", "Share of time in which the engine was active"),
        ["sm_active"] = ("ratio", "Share of the multiprocessors that were active"),
        ["sm_occupancy"] = ("ratio", "Share of the warps that were resident"),
        ["pipe_tensor_active"] = ("ratio", "Share of cycles in which the tensor cores were active"),
        ["dram_active"] = ("ratio", "Share of cycles in which memory was active"),
        ["pcie_tx_bytes"] = ("B/s", "PCIe, sent"),
        ["pcie_rx_bytes"] = ("B/s", "PCIe, received"),
        ["ecc_sbe"] = (null, "Corrected ECC errors"),
        ["ecc_dbe"] = (null, "Uncorrectable ECC errors"),
        ["uncorrectable_remapped_rows"] = (null, "Memory rows remapped for uncorrectable errors"),
        ["correctable_remapped_rows"] = (null, "Memory rows remapped for corrected errors"),
        ["row_remap_failure"] = (null, "1 where a row could not be remapped"),
    };

    private static readonly (string End, string Unit)[] Ends =
        [("_mhz", "MHz"), ("_mb", "MiB"), ("_percent", "%"), ("_utilization", "%"), ("_seconds", "s"), ("_bytes", "B"), ("_ratio", "ratio"), ("_ms", "ms"), ("_c", "°C"), ("_w", "W")];

    /// <summary>The unit; null where there is none, or none is known.</summary>
    public static string? Of(string metric) =>
        Known.TryGetValue(metric, out var known) ? known.Unit : Array.Find(Ends, e => metric.EndsWith(e.End, StringComparison.Ordinal)).Unit;

    /// <summary>What it is; null where it is not known.</summary>
    public static string? Description(string metric) => Known.TryGetValue(metric, out var known) ? known.Description : null;

    /// <summary>A value with its unit.</summary>
    public static string Text(string metric, double value) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value:0.###}{(Of(metric) is { } unit and not "ratio" ? " " + unit : "")}");
}
