using System.Globalization;

namespace Telemetry.Hosting.Dashboard;

/// <summary>
/// Reads metrics in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats). Of a
/// histogram or summary, count and sum are kept and the buckets are left out.
/// </summary>
internal static class PrometheusText
{
    private const string Untyped = "untyped";

    /// <summary>The samples of a text, at most <paramref name="max"/>; lines that are not understood are passed over.</summary>
    public static (IReadOnlyList<MetricSample> Samples, bool IsCut) Parse(string text, int max)
    {
        var types = new Dictionary<string, string>();
        var helps = new Dictionary<string, string>();
        var sums = new Dictionary<(string, string), double>();
        var samples = new List<MetricSample>();
        var isCut = false;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("#"))
            {
                ReadComment(line, types, helps);
                continue;
            }
            if (ReadSample(line) is not var (name, labels, value))
                continue;
            var (family, type, part) = FamilyOf(name, types);
            if (part == "_sum")
                sums[(family, labels)] = value;
            else if (part == "_bucket" || (part.Length == 0 && type == "summary"))
                continue;
            else if (samples.Count < max)
                samples.Add(new MetricSample(family, type, helps.GetValueOrDefault(family, ""), labels, value, null));
            else
                isCut = true;
        }
        // The sum of a histogram may stand before its count.
        return ([.. samples.Select(sample => sums.TryGetValue((sample.Name, sample.Labels), out var sum) ? sample with { Sum = sum } : sample)], isCut);
    }

    private static void ReadComment(ReadOnlySpan<char> line, Dictionary<string, string> types, Dictionary<string, string> helps)
    {
        // # TYPE name type, # HELP name text
        var parts = line.ToString().Split(' ', 4);
        if (parts is ["#", "TYPE", var typed, var type])
            types[typed] = type.Trim();
        else if (parts is ["#", "HELP", var helped, var help])
            helps[helped] = help.Replace("\\n", " ", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
    }

    private static (string Name, string Labels, double Value)? ReadSample(ReadOnlySpan<char> line)
    {
        var nameEnd = line.IndexOfAny('{', ' ');
        if (nameEnd <= 0)
            return null;
        var name = line[..nameEnd].ToString();
        var labels = "";
        var rest = line[nameEnd..];
        if (rest[0] == '{')
        {
            var end = LabelsEnd(rest);
            if (end < 0)
                return null;
            labels = LabelText(rest[1..end]);
            rest = rest[(end + 1)..];
        }
        rest = rest.Trim(' ');
        // A time may follow.
        var valueEnd = rest.IndexOf(' ');
        return Number(valueEnd < 0 ? rest : rest[..valueEnd]) is { } value ? (name, labels, value) : null;
    }

    // A closing brace in quotes belongs to a label's value.
    private static int LabelsEnd(ReadOnlySpan<char> text)
    {
        var quoted = false;
        for (var i = 1; i < text.Length; i++)
        {
            if (quoted && text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = !quoted;
            else if (text[i] == '}' && !quoted)
                return i;
        }
        return -1;
    }

    /// <summary>The labels as they stand there, without those that say which library measured.</summary>
    private static string LabelText(ReadOnlySpan<char> labels)
    {
        var kept = new List<string>();
        for (var rest = labels; rest.Length > 0;)
        {
            var end = LabelEnd(rest);
            var label = rest[..end].Trim();
            if (label.Length > 0 && !label.StartsWith("otel_scope_"))
                kept.Add(label.ToString());
            rest = end < rest.Length ? rest[(end + 1)..] : [];
        }
        return string.Join(", ", kept);
    }

    private static int LabelEnd(ReadOnlySpan<char> text)
    {
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (quoted && text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = !quoted;
            else if (text[i] == ',' && !quoted)
                return i;
        }
        return text.Length;
    }

    private static double? Number(ReadOnlySpan<char> text) => text switch
    {
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        "NaN" => double.NaN,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null,
    };

    private static (string Family, string Type, string Part) FamilyOf(string name, Dictionary<string, string> types)
    {
        if (types.TryGetValue(name, out var type))
            return (name, type, "");
        foreach (var part in (ReadOnlySpan<string>)["_bucket", "_count", "_sum"])
        {
            if (name.EndsWith(part, StringComparison.Ordinal) && types.TryGetValue(name[..^part.Length], out type))
                return (name[..^part.Length], type, part);
        }
        return (name, Untyped, "");
    }
}
