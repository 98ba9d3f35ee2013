using Telemetry.Gateway.Prometheus.Evaluation;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Prometheus;

/// <summary>A metric by the name that a query calls it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Column">The store's name of it.</param>
/// <param name="Labels">The names of its labels, in the order of <see cref="Vocabulary.Values"/>.</param>
internal sealed record NamedMetric(string Name, string Column, IReadOnlyList<string> Labels)
{
    /// <summary>The name of the host's label.</summary>
    public string HostLabel => Labels[0];

    /// <summary>The name of the GPU index's label.</summary>
    public string GpuLabel => Labels[1];

    /// <summary>The labels of a series, with the metric's name.</summary>
    public Labels LabelsOf(SampleSeries series) =>
        Evaluation.Labels.Of(Labels.Zip(Vocabulary.Values(series.Labels)).Prepend((Evaluation.Labels.Name, Name)));
}

/// <summary>The names of metrics and labels: the store's own, and beside them those of NVIDIA's dcgm-exporter, whose dashboards work so.</summary>
internal sealed class Vocabulary
{
    private static readonly string[] OwnLabels = ["host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container"];

    private static readonly string[] DcgmLabels = ["Hostname", "gpu", "UUID", "modelName", "device", "pod", "namespace", "container", "instance"];

    /// <summary>The store's names of what dcgm-exporter exports. The streamer gives these names to the same fields.</summary>
    public static readonly IReadOnlyDictionary<string, string> Dcgm = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["DCGM_FI_DEV_GPU_UTIL"] = "gpu_utilization",
        ["DCGM_FI_DEV_MEM_COPY_UTIL"] = "memory_utilization",
        ["DCGM_FI_DEV_ENC_UTIL"] = "encoder_utilization",
        ["DCGM_FI_DEV_DEC_UTIL"] = "decoder_utilization",
        ["DCGM_FI_DEV_FB_USED"] = "memory_used_mb",
        ["DCGM_FI_DEV_FB_FREE"] = "memory_free_mb",
        ["DCGM_FI_DEV_FB_RESERVED"] = "memory_reserved_mb",
        ["DCGM_FI_DEV_FB_TOTAL"] = "memory_total_mb",
        ["DCGM_FI_DEV_GPU_TEMP"] = "temperature_c",
        ["DCGM_FI_DEV_MEMORY_TEMP"] = "memory_temperature_c",
        ["DCGM_FI_DEV_POWER_USAGE"] = "power_w",
        ["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"] = "energy_mj",
        ["DCGM_FI_DEV_SM_CLOCK"] = "sm_clock_mhz",
        ["DCGM_FI_DEV_MEM_CLOCK"] = "memory_clock_mhz",
        ["DCGM_FI_DEV_XID_ERRORS"] = "xid",
        ["DCGM_FI_DEV_CLOCKS_EVENT_REASONS"] = "clock_event_reasons",
        ["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"] = "clock_event_reasons",
        ["DCGM_FI_DEV_POWER_VIOLATION"] = "power_violation",
        ["DCGM_FI_DEV_THERMAL_VIOLATION"] = "thermal_violation",
        ["DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"] = "ecc_sbe",
        ["DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"] = "ecc_dbe",
        ["DCGM_FI_DEV_PCIE_REPLAY_COUNTER"] = "pcie_replays",
        ["DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"] = "uncorrectable_remapped_rows",
        ["DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS"] = "correctable_remapped_rows",
        ["DCGM_FI_DEV_ROW_REMAP_FAILURE"] = "row_remap_failure",
        ["DCGM_FI_PROF_GR_ENGINE_ACTIVE"] = "gr_engine_active",
        ["DCGM_FI_PROF_SM_ACTIVE"] = "sm_active",
        ["DCGM_FI_PROF_SM_OCCUPANCY"] = "sm_occupancy",
        ["DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"] = "pipe_tensor_active",
        ["DCGM_FI_PROF_DRAM_ACTIVE"] = "dram_active",
        ["DCGM_FI_PROF_PCIE_TX_BYTES"] = "pcie_tx_bytes",
        ["DCGM_FI_PROF_PCIE_RX_BYTES"] = "pcie_rx_bytes",
    };

    /// <param name="columns">The metrics of the store.</param>
    public Vocabulary(IReadOnlyList<string> columns)
    {
        Metrics =
        [
            .. columns.Select(c => new NamedMetric(c, c, OwnLabels))
                .Concat(Dcgm.Where(d => columns.Contains(d.Value)).Select(d => new NamedMetric(d.Key, d.Value, DcgmLabels)))
                .OrderBy(m => m.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>All metrics, by name.</summary>
    public IReadOnlyList<NamedMetric> Metrics { get; }

    /// <summary>The values of a series' labels; the last is dcgm-exporter's <c>instance</c>, for which the host stands.</summary>
    public static string[] Values(GpuLabels gpu) =>
        [gpu.HostId, gpu.GpuId, gpu.Uuid, gpu.Model, gpu.Device, gpu.Pod, gpu.Namespace, gpu.Container, gpu.HostId];
}
