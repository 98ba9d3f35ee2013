namespace Telemetry.ServiceDefaults.Settings;

/// <summary>What somebody gave, in a text that refuses it.</summary>
public static class UserInput
{
    private const int CharsMax = 200;

    /// <summary>The input, bounded and without control characters.</summary>
    public static string Printable(string text) =>
        string.Concat((text.Length > CharsMax ? text[..CharsMax] + "…" : text).Select(c => char.IsControl(c) ? '?' : c));
}
