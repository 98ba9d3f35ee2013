using System.Text.RegularExpressions;

namespace Telemetry.Hosting.Publish;

/// <summary>Texts that Helm fills in, as Aspire's publisher writes them.</summary>
internal static partial class HelmExpression
{
    /// <summary>The name of the release.</summary>
    public const string ReleaseName = "{{ .Release.Name }}";

    /// <summary>A value of <c>values.yaml</c>; a hyphen cannot be part of a path.</summary>
    public static string Value(string section, string resource, string key) => $"{{{{ {Key($".Values.{section}.{resource}.{key}")} }}}}";

    /// <summary>A name as it stands in <c>values.yaml</c>.</summary>
    public static string Key(string name) => name.Replace('-', '_');

    /// <summary>
    /// Whether a text is written without quotes: it decides by itself what it becomes (<c>{{ if</c>), or it becomes a number.
    /// </summary>
    public static bool IsPlain(string text) => FlowControl().IsMatch(text) || Number().IsMatch(text);

    [GeneratedRegex(@"^\{\{\s*if\b")]
    private static partial Regex FlowControl();

    [GeneratedRegex(@"^\{\{[^{}]*\|\s*(int|int64|float64)\s*\}\}$")]
    private static partial Regex Number();
}
