using System.Globalization;
using System.Text;

namespace Telemetry.Tests.Distributed;

/// <summary>What one metric of one GPU adds up to.</summary>
public sealed record Totals(long Count, double Sum, double Min, double Max)
{
    public Totals Add(double value) => new(Count + 1, Sum + value, Math.Min(Min, value), Math.Max(Max, value));

    public static Totals Of(double value) => new(1, value, value, value);
}

/// <summary>
/// The oracle: reads a CSV file by itself, without anything of the streamer, and adds up every metric of every GPU.
/// </summary>
internal static class StraightReading
{
    private static readonly HashSet<string> Labels =
        ["timestamp", "host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container"];

    private static readonly Dictionary<string, string> DcgmColumns = new()
    {
        ["DCGM_FI_DEV_GPU_UTIL"] = "gpu_utilization",
        ["DCGM_FI_DEV_MEM_COPY_UTIL"] = "memory_utilization",
        ["DCGM_FI_DEV_ENC_UTIL"] = "encoder_utilization",
        ["DCGM_FI_DEV_DEC_UTIL"] = "decoder_utilization",
        ["DCGM_FI_DEV_FB_USED"] = "memory_used_mb",
        ["DCGM_FI_DEV_FB_FREE"] = "memory_free_mb",
        ["DCGM_FI_DEV_GPU_TEMP"] = "temperature_c",
        ["DCGM_FI_DEV_POWER_USAGE"] = "power_w",
        ["DCGM_FI_DEV_SM_CLOCK"] = "sm_clock_mhz",
        ["DCGM_FI_DEV_MEM_CLOCK"] = "memory_clock_mhz",
    };

    public sealed record Result(IReadOnlyDictionary<(string Host, string Gpu, string Metric), Totals> Totals, long Records, DateTimeOffset First, DateTimeOffset Last);

    public static Result Read(string path)
    {
        var totals = new Dictionary<(string, string, string), Totals>();
        var records = new HashSet<(string, string, string)>();
        var first = DateTimeOffset.MaxValue;
        var last = DateTimeOffset.MinValue;
        using var rows = Rows(File.ReadAllText(path)).GetEnumerator();
        rows.MoveNext();
        var header = rows.Current;
        var isLong = header.Contains("metric_name");
        int Column(params string[] names) => header.FindIndex(name => names.Contains(name, StringComparer.OrdinalIgnoreCase));
        var (time, host, gpu) = (Column("timestamp"), Column("host_id", "hostname", "host"), Column("gpu_id", "gpu", "index"));
        var (name, value) = (Column("metric_name"), Column("value"));
        while (rows.MoveNext())
        {
            var row = rows.Current;
            records.Add((row[time], row[host], row[gpu]));
            var at = DateTimeOffset.Parse(row[time], CultureInfo.InvariantCulture);
            (first, last) = (at < first ? at : first, at > last ? at : last);
            if (isLong)
                Add(totals, (row[host], row[gpu], DcgmColumns[row[name]]), row[value]);
            else
            {
                for (var i = 0; i < header.Count; i++)
                {
                    if (!Labels.Contains(header[i]))
                        Add(totals, (row[host], row[gpu], header[i]), row[i]);
                }
            }
        }
        return new Result(totals, records.Count, first, last);
    }

    private static void Add(Dictionary<(string, string, string), Totals> totals, (string, string, string) key, string text)
    {
        var value = double.Parse(text, CultureInfo.InvariantCulture);
        totals[key] = totals.TryGetValue(key, out var sum) ? sum.Add(value) : Totals.Of(value);
    }

    private static IEnumerable<List<string>> Rows(string text)
    {
        var row = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted)
            {
                if (c != '"')
                    field.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"')
                    field.Append(text[++i]);
                else
                    quoted = false;
            }
            else if (c == '"')
                quoted = true;
            else if (c == ',')
            {
                row.Add(field.ToString());
                field.Clear();
            }
            else if (c == '\n')
            {
                row.Add(field.ToString());
                field.Clear();
                yield return row;
                row = [];
            }
            else if (c != '\r')
                field.Append(c);
        }
        if (field.Length > 0 || row.Count > 0)
        {
            row.Add(field.ToString());
            yield return row;
        }
    }
}
