using System.Globalization;
using System.Text;

namespace Telemetry.Benchmarks.Fleet;

/// <summary>Writes a simulated fleet in the two shapes that the streamer reads. data/README.md describes them.</summary>
public static class CsvFiles
{
    private const string Model = "NVIDIA H100 80GB HBM3";

    /// <summary>The wide shape: a row is a GPU at a time, a numeric column a metric.</summary>
    /// <returns>The rows written, without the header.</returns>
    public static long WriteWide(FleetSimulator fleet, TextWriter output)
    {
        output.Write("timestamp,host_id,gpu_id,uuid,model,device,pod,namespace,container,"
            + "gpu_utilization,memory_utilization,memory_used_mb,memory_free_mb,temperature_c,power_w,sm_clock_mhz,memory_clock_mhz,clock_event_reasons\n");
        long rows = 0;
        foreach (var time in fleet.Scrapes())
        {
            foreach (var gpu in fleet.Gpus.Where(g => g.Reports))
            {
                output.Write(string.Create(CultureInfo.InvariantCulture,
                    $"{Rfc3339(time)},{gpu.HostId},{gpu.GpuId},{gpu.Uuid},{Model},nvidia{gpu.GpuId},{gpu.Pod},{gpu.Namespace},{gpu.Container},"));
                output.Write(string.Create(CultureInfo.InvariantCulture,
                    $"{gpu.Utilization},{gpu.MemoryUtilization},{gpu.MemoryUsedMb},{gpu.MemoryFreeMb},{gpu.TemperatureC},{gpu.PowerW:0.0},{gpu.SmClockMhz},{gpu.MemoryClockMhz},{gpu.ClockEventReasons}\n"));
                rows++;
            }
        }
        return rows;
    }

    /// <summary>
    /// The six metrics that benchmarks are stated in, without labels that repeat: the shape in which the figures of other
    /// systems were measured.
    /// </summary>
    /// <returns>The rows written, without the header.</returns>
    public static long WriteSixMetrics(FleetSimulator fleet, TextWriter output, long rowsMax)
    {
        output.Write("timestamp,host_id,gpu_id,gpu_utilization,memory_utilization,memory_used_mb,temperature_c,power_w,sm_clock_mhz\n");
        long rows = 0;
        foreach (var time in fleet.Scrapes())
        {
            foreach (var gpu in fleet.Gpus)
            {
                if (rows == rowsMax)
                    return rows;
                output.Write(string.Create(CultureInfo.InvariantCulture,
                    $"{Rfc3339(time)},{gpu.HostId},{gpu.GpuId},{gpu.Utilization},{gpu.MemoryUtilization},{gpu.MemoryUsedMb},{gpu.TemperatureC},{gpu.PowerW:0.0},{gpu.SmClockMhz}\n"));
                rows++;
            }
        }
        return rows;
    }

    /// <summary>The long shape of DCGM exports: a row is one metric, metric by metric within a scrape, every field quoted.</summary>
    /// <returns>The rows written, without the header.</returns>
    public static long WriteDcgm(FleetSimulator fleet, TextWriter output)
    {
        (string Name, Func<SimulatedGpu, string> Value)[] metrics =
        [
            ("DCGM_FI_DEV_GPU_UTIL", g => Text(g.Utilization)),
            ("DCGM_FI_DEV_MEM_COPY_UTIL", g => Text(g.MemoryUtilization)),
            ("DCGM_FI_DEV_POWER_USAGE", g => g.PowerW.ToString("0.0", CultureInfo.InvariantCulture)),
            ("DCGM_FI_DEV_GPU_TEMP", g => Text(g.TemperatureC)),
            ("DCGM_FI_DEV_FB_USED", g => Text(g.MemoryUsedMb)),
            ("DCGM_FI_DEV_FB_FREE", g => Text(g.MemoryFreeMb)),
            ("DCGM_FI_DEV_SM_CLOCK", g => Text(g.SmClockMhz)),
            ("DCGM_FI_DEV_MEM_CLOCK", g => Text(g.MemoryClockMhz)),
        ];
        output.Write("timestamp,metric_name,gpu_id,device,uuid,modelName,Hostname,container,pod,namespace,value,labels_raw\n");
        long rows = 0;
        foreach (var time in fleet.Scrapes())
        {
            foreach (var (name, value) in metrics)
            {
                foreach (var gpu in fleet.Gpus.Where(g => g.Reports))
                {
                    WriteQuoted(output, Rfc3339(time), name, gpu.GpuId, "nvidia" + gpu.GpuId, gpu.Uuid, Model, gpu.HostId,
                        gpu.Container, gpu.Pod, gpu.Namespace, value(gpu), Labels(name, gpu));
                    rows++;
                }
            }
        }
        return rows;
    }

    private static string Labels(string metric, SimulatedGpu gpu) =>
        $"Hostname=\"{gpu.HostId}\",UUID=\"{gpu.Uuid}\",__name__=\"{metric}\",gpu=\"{gpu.GpuId}\",modelName=\"{Model}\"";

    private static void WriteQuoted(TextWriter output, params ReadOnlySpan<string> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (i > 0)
                output.Write(',');
            output.Write('"');
            output.Write(fields[i].Replace("\"", "\"\"", StringComparison.Ordinal));
            output.Write('"');
        }
        output.Write('\n');
    }

    /// <summary>A file for text without a byte order mark, made anew with its folder.</summary>
    public static StreamWriter Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Rfc3339(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
