using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Parameters that several routes have.</summary>
internal static class Filters
{
    /// <summary>Only one host.</summary>
    public static readonly TextParameter HostId = new("host_id", "Only this host. 404 where it was never seen.") { Example = "mtv5-dgx1-hgpu-031" };

    /// <summary>Only one GPU index.</summary>
    public static readonly TextParameter GpuId = new("gpu_id", "Only the GPU of this index on its host. 404 where host_id is given and the host has no such GPU.") { Example = "0" };

    /// <summary>A host, which must be given.</summary>
    public static readonly TextParameter RequiredHostId = new("host_id", "The host. 404 where it was never seen.") { Example = "mtv5-dgx1-hgpu-031", Required = true };

    /// <summary>A GPU index, which must be given.</summary>
    public static readonly TextParameter RequiredGpuId = new("gpu_id", "The GPU's index on its host. 404 where the host has no such GPU.") { Example = "0", Required = true };

    /// <summary>Only some metrics.</summary>
    public static readonly NamesParameter Metrics = new("metrics", "Only these metrics, separated by commas. All where it is not given.")
    {
        Example = "gpu_utilization,memory_used_mb",
    };
}
