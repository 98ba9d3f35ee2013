using Telemetry.Messaging.Records;
using Telemetry.ServiceDefaults;

namespace Telemetry.Streamer.Sources;

/// <summary>A column of a wide file that holds a metric.</summary>
/// <param name="Field">The column's index.</param>
/// <param name="Metric">What it holds.</param>
/// <param name="Unit">The unit that its cells may carry, as UTF-8; empty for none.</param>
internal sealed record MetricColumn(int Field, Metric Metric, byte[] Unit);

/// <summary>
/// What the columns of a file mean, by its header. Wide: a row is a GPU at a time, and each numeric column a metric.
/// Long: a row is one metric, with the columns <c>metric_name</c> and <c>value</c>.
/// </summary>
internal sealed class CsvLayout
{
    /// <summary>The optional labels of a GPU, in the order of <see cref="Labels"/>: uuid, model, device, pod, namespace, container.</summary>
    public const int LabelCount = 6;

    private static readonly string[] TimeNames = ["timestamp", "time", "datetime"];
    private static readonly string[] HostNames = ["Hostname", "host", "host_id", "node"];
    private static readonly string[] GpuNames = ["gpu", "gpu_id", "index"];
    private static readonly string[][] LabelNames =
    [
        ["UUID", "gpu_uuid"], ["modelName", "model", "name", "gpu_name"], ["device"], ["pod"], ["namespace"], ["container"],
    ];
    private static readonly string[] MetricNameNames = ["metric_name", "metric"];
    private static readonly string[] ValueNames = ["value"];

    /// <summary>Columns that describe a row and are neither identity nor metric, though some look like numbers.</summary>
    private static readonly HashSet<string> Ignored = new(StringComparer.OrdinalIgnoreCase)
    {
        "labels_raw", "GPU_I_ID", "GPU_I_PROFILE", "DCGM_FI_DRIVER_VERSION", "driver_version", "instance", "job", "__name__",
        "serial", "gpu_serial", "vbios_version", "pci.bus_id", "gpu_bus_id", "pci.bus", "pci.device", "pci.domain", "pci.sub_device_id", "pci.device_id",
    };

    /// <summary>The character between fields.</summary>
    public required char Separator { get; init; }

    /// <summary>Fields of the header; a row has as many.</summary>
    public required int FieldCount { get; init; }

    /// <summary>The column of the time; -1 for none.</summary>
    public required int Time { get; init; }

    /// <summary>The column of the host.</summary>
    public required int Host { get; init; }

    /// <summary>The column of the GPU's index.</summary>
    public required int Gpu { get; init; }

    /// <summary>The columns of the optional labels; -1 where the file has none.</summary>
    public required int[] Labels { get; init; }

    /// <summary>Whether a row is one metric.</summary>
    public bool IsLong => MetricName >= 0;

    /// <summary>In a long file the column of the metric's name; -1 in a wide one.</summary>
    public int MetricName { get; init; } = -1;

    /// <summary>In a long file the column of the value.</summary>
    public int Value { get; init; } = -1;

    /// <summary>In a wide file the metrics.</summary>
    public IReadOnlyList<MetricColumn> Metrics { get; init; } = [];

    /// <summary>Columns of a wide file that are left out because another column has the same metric.</summary>
    public IReadOnlyList<string> Duplicates { get; init; } = [];

    /// <summary>Reads a header.</summary>
    /// <param name="header">The names of the columns.</param>
    /// <param name="separator">The character between them.</param>
    /// <param name="needsTime">Whether the file must have a time.</param>
    /// <param name="isText">In a wide file: whether the column at an index holds texts, by a look at the first rows.</param>
    /// <exception cref="StartupException">It is not the header of a telemetry file; the message has the columns and what is missing.</exception>
    public static CsvLayout Detect(IReadOnlyList<string> header, char separator, bool needsTime, Func<int, bool> isText)
    {
        var used = new HashSet<int>();
        int Take(string[] names)
        {
            var field = IndexOf(header, names);
            if (field >= 0)
                used.Add(field);
            return field;
        }
        var layout = new CsvLayout
        {
            Separator = separator,
            FieldCount = header.Count,
            Time = Take(TimeNames),
            Host = Take(HostNames),
            Gpu = Take(GpuNames),
            Labels = [.. LabelNames.Select(Take)],
        };
        var (metricName, value) = (IndexOf(header, MetricNameNames), IndexOf(header, ValueNames));
        if (metricName >= 0 && value >= 0)
            layout = layout.With(metricName, value, [], []);
        else
        {
            var (metrics, duplicates) = WideMetrics(header, used, isText);
            layout = layout.With(-1, -1, metrics, duplicates);
        }
        layout.Check(header, needsTime);
        return layout;
    }

    private CsvLayout With(int metricName, int value, IReadOnlyList<MetricColumn> metrics, IReadOnlyList<string> duplicates) => new()
    {
        Separator = Separator,
        FieldCount = FieldCount,
        Time = Time,
        Host = Host,
        Gpu = Gpu,
        Labels = Labels,
        MetricName = metricName,
        Value = value,
        Metrics = metrics,
        Duplicates = duplicates,
    };

    private static (List<MetricColumn> Metrics, List<string> Duplicates) WideMetrics(IReadOnlyList<string> header, HashSet<int> used, Func<int, bool> isText)
    {
        var metrics = new List<MetricColumn>();
        var duplicates = new List<string>();
        for (var i = 0; i < header.Count; i++)
        {
            var (name, unit) = MetricNames.SplitUnit(header[i]);
            if (used.Contains(i) || Ignored.Contains(name) || IsIdentityName(name) || (!MetricNames.IsCertain(header[i]) && isText(i)))
                continue;
            if (MetricNames.Resolve(header[i]) is not { } metric)
                continue;
            if (metrics.Any(m => m.Metric.Name == metric.Name))
                duplicates.Add(header[i]);
            else
                metrics.Add(new MetricColumn(i, metric, System.Text.Encoding.UTF8.GetBytes(unit)));
        }
        return (metrics, duplicates);
    }

    private void Check(IReadOnlyList<string> header, bool needsTime)
    {
        var missing = new List<string>();
        if (Host < 0)
            missing.Add($"a host ({string.Join(", ", HostNames)})");
        if (Gpu < 0)
            missing.Add($"a GPU index ({string.Join(", ", GpuNames)})");
        if (Time < 0 && needsTime)
            missing.Add($"a time ({string.Join(", ", TimeNames)}; or use TIMESTAMP_MODE=now)");
        if (!IsLong && Metrics.Count == 0)
            missing.Add("metrics (numeric columns, or metric_name and value)");
        if (missing.Count > 0)
            throw new StartupException($"the header has no column for {string.Join(" and none for ", missing)}; its columns are: {Printable(header)}");
        if (Metrics.Count > RecordBatchLimits.MetricsMax)
            throw new StartupException($"the header has {Metrics.Count} metric columns; a record has at most {RecordBatchLimits.MetricsMax}");
    }

    /// <summary>Another spelling of an identity column that is in use is not a metric.</summary>
    private static bool IsIdentityName(string name) =>
        new[] { TimeNames, HostNames, GpuNames }.Concat(LabelNames).Any(names => names.Contains(name, StringComparer.OrdinalIgnoreCase));

    /// <summary>The first column whose name is one of these, the names in their order of preference; -1 for none.</summary>
    private static int IndexOf(IReadOnlyList<string> header, string[] names)
    {
        foreach (var name in names)
        {
            for (var i = 0; i < header.Count; i++)
            {
                if (string.Equals(header[i].Trim(), name, StringComparison.OrdinalIgnoreCase))
                    return i;
            }
        }
        return -1;
    }

    private static string Printable(IReadOnlyList<string> header)
    {
        var text = string.Join(", ", header.Take(40).Select(name => name.Length > 60 ? name[..60] + "…" : name));
        text = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return header.Count > 40 ? $"{text}, … ({header.Count} in all)" : text;
    }
}
