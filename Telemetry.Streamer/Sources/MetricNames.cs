using System.IO.Hashing;
using System.Text;

namespace Telemetry.Streamer.Sources;

/// <summary>From the names that sources write to column names: <c>[a-z_][a-z0-9_]*</c>, at most 64 characters.</summary>
internal static class MetricNames
{
    public const string DcgmPrefix = "DCGM_FI_";

    private const int LengthMax = 64;

    /// <summary>What a record has besides its metrics; a metric of that name gets <c>_value</c> at its end.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "timestamp", "time", "host_id", "gpu_id", "uuid", "model", "device", "pod", "namespace", "container",
    };

    /// <summary>The suffixes for the units of <c>nvidia-smi</c>'s headers, where the unit is not clear from the name.</summary>
    private static readonly Dictionary<string, string> UnitSuffixes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["MiB"] = "_mb",
        ["W"] = "_w",
        ["MHz"] = "_mhz",
        ["ms"] = "_ms",
        ["C"] = "_c",
    };

    /// <summary>The metric of a source's name, with its range where one is known; null when no name can be made of it.</summary>
    /// <param name="source">A DCGM field, a column's header, or a <c>nvidia-smi</c> header with its unit.</param>
    public static Metric? Resolve(string source)
    {
        var (name, unit) = SplitUnit(source);
        if (MetricCatalog.Find(name) is { } listed)
            return listed;
        if (name.StartsWith(DcgmPrefix, StringComparison.OrdinalIgnoreCase))
        {
            name = name[DcgmPrefix.Length..];
            if (name.StartsWith("DEV_", StringComparison.OrdinalIgnoreCase))
                name = name["DEV_".Length..];
            name = name.ToLowerInvariant();
        }
        var column = SnakeCase(name);
        if (column.Length == 0)
            return null;
        if (UnitSuffixes.TryGetValue(unit, out var suffix) && !column.EndsWith(suffix, StringComparison.Ordinal))
            column += suffix;
        if (Reserved.Contains(column))
            column += "_value";
        return MetricCatalog.Find(column) ?? new Metric(Shorten(column));
    }

    /// <summary>Whether a name says by itself that its column is a metric: it is listed or has a unit. (An unlisted DCGM field may be a label.)</summary>
    public static bool IsCertain(string source)
    {
        var (name, unit) = SplitUnit(source);
        return unit.Length > 0 || MetricCatalog.Find(name) is not null;
    }

    /// <summary>Splits <c>utilization.gpu [%]</c> into name and unit.</summary>
    public static (string Name, string Unit) SplitUnit(string source)
    {
        var name = source.Trim();
        var open = name.LastIndexOf('[');
        return open > 0 && name[^1] == ']'
            ? (name[..open].TrimEnd(), name[(open + 1)..^1].Trim())
            : (name, "");
    }

    /// <summary><c>gpuTemp (max)</c> becomes <c>gpu_temp_max</c>; empty when no letter or digit is left.</summary>
    internal static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (!char.IsAsciiLetterOrDigit(c))
            {
                if (text.Length > 0 && text[^1] != '_')
                    text.Append('_');
                continue;
            }
            var begins = char.IsAsciiLetterUpper(c) && i > 0
                && (char.IsAsciiLetterLower(name[i - 1]) || char.IsAsciiDigit(name[i - 1])
                    || (char.IsAsciiLetterUpper(name[i - 1]) && i + 1 < name.Length && char.IsAsciiLetterLower(name[i + 1])));
            if (begins && text.Length > 0 && text[^1] != '_')
                text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        while (text.Length > 0 && text[^1] == '_')
            text.Length--;
        if (text.Length > 0 && char.IsAsciiDigit(text[0]))
            text.Insert(0, '_');
        return text.ToString();
    }

    /// <summary>A name that is too long keeps its beginning and gets a hash, so that two of them stay two.</summary>
    private static string Shorten(string name) =>
        name.Length <= LengthMax ? name
        : $"{name[..(LengthMax - 9)]}_{XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(name)):x8}";
}
