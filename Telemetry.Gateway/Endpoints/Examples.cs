using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;

namespace Telemetry.Gateway.Endpoints;

/// <summary>The GPU that the documentation shows.</summary>
internal static class Examples
{
    public const string Host = "mtv5-dgx1-hgpu-031";
    public const string Gpu = "0";
    public const string Uuid = "GPU-5fd4f087-86f3-7a43-b711-4771313afc50";
    public const string Model = "NVIDIA H100 80GB HBM3";
    public const string Device = "nvidia0";
    public static readonly DateTimeOffset Time = new(2025, 7, 18, 20, 42, 34, TimeSpan.Zero);

    public static readonly IReadOnlyDictionary<string, double> Metrics = new SortedDictionary<string, double>(StringComparer.Ordinal)
    {
        ["gpu_utilization"] = 87,
        ["memory_used_mb"] = 52_331,
        ["power_w"] = 412.5,
        ["temperature_c"] = 61,
    };

    public static readonly TelemetryRecord Record = new()
    {
        Timestamp = Time,
        HostId = Host,
        GpuId = Gpu,
        Uuid = Uuid,
        Model = Model,
        Device = Device,
        Pod = "train-7b-0",
        Namespace = "research",
        Container = "trainer",
        Metrics = Metrics,
    };

    public static readonly LatestGpu Latest = new()
    {
        Timestamp = Time,
        HostId = Host,
        GpuId = Gpu,
        Uuid = Uuid,
        Model = Model,
        Device = Device,
        Pod = "train-7b-0",
        Namespace = "research",
        Container = "trainer",
        Metrics = Metrics,
        AgeSeconds = 1.25,
        State = GpuState.Active,
    };

    public static readonly MetricStatistics Utilization = new() { Count = 720, Avg = 71.4, Min = 0, Max = 100, Last = 87 };
}
