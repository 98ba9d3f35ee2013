namespace Telemetry.Streamer.Sources;

/// <summary>A metric: its column name and the values that can be true.</summary>
/// <param name="Name">The column name, in snake_case.</param>
/// <param name="Min">The smallest valid value.</param>
/// <param name="Max">The largest valid value.</param>
internal sealed record Metric(string Name, double Min = double.NegativeInfinity, double Max = double.PositiveInfinity)
{
    /// <summary>Whether a value can be true.</summary>
    public bool Accepts(double value) => value >= Min && value <= Max;
}

/// <summary>
/// The metrics that are known by name: DCGM's fields, what <c>nvidia-smi</c> calls the same, and their valid ranges.
/// A field that is not listed needs no line here (<see cref="MetricNames"/>); add one to give it a better name or a range.
/// </summary>
internal static class MetricCatalog
{
    private const double Any = double.PositiveInfinity;

    // DCGM field without DCGM_FI_ | names in nvidia-smi --query-gpu | column | valid range
    private static readonly (string Dcgm, string[] Smi, string Column, double Min, double Max)[] Table =
    [
        ("DEV_GPU_UTIL", ["utilization.gpu"], "gpu_utilization", 0, 100),
        ("DEV_MEM_COPY_UTIL", ["utilization.memory"], "memory_utilization", 0, 100),
        ("DEV_ENC_UTIL", ["utilization.encoder"], "encoder_utilization", 0, 100),
        ("DEV_DEC_UTIL", ["utilization.decoder"], "decoder_utilization", 0, 100),
        ("DEV_FB_USED", ["memory.used"], "memory_used_mb", 0, Any),
        ("DEV_FB_FREE", ["memory.free"], "memory_free_mb", 0, Any),
        ("DEV_FB_RESERVED", ["memory.reserved"], "memory_reserved_mb", 0, Any),
        ("DEV_FB_TOTAL", ["memory.total"], "memory_total_mb", 0, Any),
        ("DEV_GPU_TEMP", ["temperature.gpu"], "temperature_c", -50, 200),
        ("DEV_MEMORY_TEMP", ["temperature.memory"], "memory_temperature_c", -50, 200),
        ("DEV_POWER_USAGE", ["power.draw"], "power_w", 0, 5_000),
        ("DEV_TOTAL_ENERGY_CONSUMPTION", [], "energy_mj", 0, Any),
        ("DEV_SM_CLOCK", ["clocks.sm", "clocks.current.sm"], "sm_clock_mhz", 0, Any),
        ("DEV_MEM_CLOCK", ["clocks.mem", "clocks.current.memory"], "memory_clock_mhz", 0, Any),
        ("DEV_XID_ERRORS", [], "xid", 0, Any),
        ("DEV_CLOCKS_EVENT_REASONS", ["clocks_event_reasons.active", "clocks_throttle_reasons.active"], "clock_event_reasons", 0, Any),
        ("DEV_CLOCK_THROTTLE_REASONS", [], "clock_event_reasons", 0, Any),
        ("DEV_POWER_VIOLATION", [], "power_violation", 0, Any),
        ("DEV_THERMAL_VIOLATION", [], "thermal_violation", 0, Any),
        ("DEV_PCIE_REPLAY_COUNTER", [], "pcie_replays", 0, Any),
        ("PROF_GR_ENGINE_ACTIVE", [], "gr_engine_active", 0, 1),
        ("PROF_SM_ACTIVE", [], "sm_active", 0, 1),
        ("PROF_SM_OCCUPANCY", [], "sm_occupancy", 0, 1),
        ("PROF_PIPE_TENSOR_ACTIVE", [], "pipe_tensor_active", 0, 1),
        ("PROF_DRAM_ACTIVE", [], "dram_active", 0, 1),
        ("PROF_PCIE_TX_BYTES", [], "pcie_tx_bytes", 0, Any),
        ("PROF_PCIE_RX_BYTES", [], "pcie_rx_bytes", 0, Any),
        ("DEV_ECC_SBE_VOL_TOTAL", ["ecc.errors.corrected.volatile.total"], "ecc_sbe", 0, Any),
        ("DEV_ECC_DBE_VOL_TOTAL", ["ecc.errors.uncorrected.volatile.total"], "ecc_dbe", 0, Any),
        ("DEV_UNCORRECTABLE_REMAPPED_ROWS", [], "uncorrectable_remapped_rows", 0, Any),
        ("DEV_CORRECTABLE_REMAPPED_ROWS", [], "correctable_remapped_rows", 0, Any),
        ("DEV_ROW_REMAP_FAILURE", [], "row_remap_failure", 0, 1),
    ];

    private static readonly Dictionary<string, Metric> ByName = Index();

    /// <summary>The full names of the DCGM fields that are listed.</summary>
    public static IEnumerable<string> DcgmNames => Table.Select(row => MetricNames.DcgmPrefix + row.Dcgm);

    /// <summary>A metric by its DCGM field, its <c>nvidia-smi</c> name without unit, or its own column name; null when it is not listed.</summary>
    public static Metric? Find(string name) => ByName.GetValueOrDefault(name);

    private static Dictionary<string, Metric> Index()
    {
        var index = new Dictionary<string, Metric>(StringComparer.OrdinalIgnoreCase);
        foreach (var (dcgm, smi, column, min, max) in Table)
        {
            if (!index.TryGetValue(column, out var metric))
                index.Add(column, metric = new Metric(column, min, max));
            index.Add(MetricNames.DcgmPrefix + dcgm, metric);
            foreach (var name in smi)
                index.Add(name, metric);
        }
        return index;
    }
}
