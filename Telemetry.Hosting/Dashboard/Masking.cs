using System.Text.RegularExpressions;

namespace Telemetry.Hosting.Dashboard;

/// <summary>Takes secrets out of what is shown, before it is sent.</summary>
internal sealed partial class Masking
{
    /// <summary>What stands for a secret; it does not tell its length.</summary>
    public const string Mask = "••••••••";

    private static readonly string[] SecretNames = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PWD", "CREDENTIAL", "OTLP_HEADERS"];

    private readonly IReadOnlyList<string> _secrets;

    /// <param name="secrets">Values that are secret wherever they appear.</param>
    public Masking(IEnumerable<string> secrets) =>
        // The longest first: another may be part of it.
        _secrets = [.. secrets.Where(secret => secret.Length > 0).Distinct().OrderByDescending(secret => secret.Length)];

    /// <summary>A variable as it may be shown.</summary>
    public VariableView Variable(string name, string value)
    {
        var shown = value.Length > 0 && SecretNames.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)) ? Mask : Text(value);
        return new VariableView(name, shown, shown != value);
    }

    /// <summary>A text without secret values, passwords of connection strings and those of addresses.</summary>
    public string Text(string text)
    {
        foreach (var secret in _secrets)
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        return UserInfo().Replace(Passwords().Replace(text, $"${{name}}{Mask}"), $"${{start}}{Mask}@");
    }

    // Password=…; up to the next semicolon, or in quotes.
    [GeneratedRegex("""(?<name>(?:password|pwd|passwd|secret|token|[a-z]*key|[a-z]*signature)\s*=\s*)(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^;&]+)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Passwords();

    // scheme://user:password@host, up to the last @ before the path.
    [GeneratedRegex(@"(?<start>[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s]*@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();
}
