using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>
/// A publisher writes data, and so it cannot write a template whose parts are there only sometimes. The model says those
/// as data of a certain shape, which is turned into Helm's own form here, line by line:
/// <code>
/// when: {{ if X }}           the whole file is inside {{- if X }} … {{- end }}
/// '{{ if X }} key': ""       {{- if X }}
/// - "{{ range X }}"          {{- range X }}
/// key: "{{ toYaml X }}"      key: {{- toYaml X | nindent … }}
/// </code>
/// </summary>
internal static partial class TemplateText
{
    /// <summary>An entry that is there only under a condition.</summary>
    public static void AddWhen(this Dictionary<string, object> entries, string condition, string key, object value)
    {
        entries[$"{{{{ if {condition} }}}} {key}"] = "";
        entries[key] = value;
        entries[$"{{{{ end }}}} {key}"] = "";
    }

    /// <summary>A list with an item for each item of a list of values.yaml.</summary>
    public static object[] ForEach(string values, object item) => [$"{{{{ range {values} }}}}", item, "{{ end }}"];

    /// <summary>A part of values.yaml as it is.</summary>
    public static string Yaml(string values) => $"{{{{ toYaml {values} }}}}";

    /// <summary>A number of values.yaml.</summary>
    public static string Number(string values) => $"{{{{ {values} | int }}}}";

    /// <summary>Turns what a publisher has written into a template.</summary>
    public static string Complete(string published)
    {
        var text = new StringBuilder();
        var condition = "";
        foreach (var line in published.TrimEnd('\n').Split('\n'))
        {
            if (FileCondition().Match(line) is { Success: true } file)
                condition = file.Groups["tag"].Value;
            else if (BlockTag().Match(line) is { Success: true } block)
                AppendLine(text, block.Groups["indent"].Value, Trimmed(block.Groups["tag"].Value));
            else if (YamlValue().Match(line) is { Success: true } yaml)
                AppendYaml(text, yaml);
            else
                AppendLine(text, "", line);
        }
        return condition.Length == 0 ? text.ToString() : $"{Trimmed(condition)}\n{text}{Trimmed("{{ end }}")}\n";
    }

    private static void AppendYaml(StringBuilder text, Match yaml)
    {
        var start = yaml.Groups["start"].Value;
        var indent = start.TakeWhile(c => c is ' ' or '-').Count() + 2;
        AppendLine(text, start, string.Create(CultureInfo.InvariantCulture, $"{yaml.Groups["key"].Value}: {{{{- toYaml {yaml.Groups["values"].Value} | nindent {indent} }}}}"));
    }

    private static void AppendLine(StringBuilder text, string indent, string line) => text.Append(indent).Append(line).Append('\n');

    /// <summary>A tag that takes the line break before it along.</summary>
    private static string Trimmed(string tag) => "{{-" + tag[2..];

    [GeneratedRegex(@"^when: ""?(?<tag>\{\{ if .* \}\})""?$")]
    private static partial Regex FileCondition();

    [GeneratedRegex(@"^(?<indent> *)(?:'(?<tag>\{\{ (?:if|else|end|range|with)\b[^}]*\}\})[^']*': """"|- ""?(?<tag>\{\{ (?:if|else|end|range|with)\b[^}]*\}\})""?)$")]
    private static partial Regex BlockTag();

    [GeneratedRegex(@"^(?<start> *(?:- )?)(?<key>[\w./-]+): ""\{\{ toYaml (?<values>[^}]*) \}\}""$")]
    private static partial Regex YamlValue();
}
