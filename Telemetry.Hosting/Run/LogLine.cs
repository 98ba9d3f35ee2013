using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>A line that a process, or the host itself, has written.</summary>
/// <param name="Sequence">Its number, from 1 on, without gaps.</param>
/// <param name="Time">When it was read.</param>
/// <param name="Source">The replica, as <c>broker-0</c>, or <see cref="HostConsole.Host"/>.</param>
/// <param name="IsError">Whether it was written to standard error.</param>
/// <param name="Content">What it says.</param>
internal sealed record LogLine(long Sequence, DateTimeOffset Time, string Source, bool IsError, LogContent Content);

/// <summary>What a line says: a log event of the two formats that services write, or plain text.</summary>
internal sealed partial record LogContent(LogLevel? Level, string? Category, string Text)
{
    /// <summary>Reads <c>HH:mm:ss.fff info: Category[1] text</c> and the JSON events of the console logger; everything else is text.</summary>
    public static LogContent Parse(string line)
    {
        var text = Escapes().Replace(line, "");
        if (text.StartsWith('{') && text.EndsWith('}') && ParseJson(text) is { } json)
            return json;
        var simple = Simple().Match(text);
        return simple.Success
            ? new LogContent(LevelOf(simple.Groups["level"].Value), simple.Groups["category"].Value, simple.Groups["text"].Value)
            : new LogContent(null, null, text);
    }

    private static LogContent? ParseJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (Value(json.RootElement, "Message") is not { } message || !Enum.TryParse<LogLevel>(Value(json.RootElement, "LogLevel"), out var level))
                return null;
            var exception = Value(json.RootElement, "Exception") is { } error ? $" {error}" : "";
            return new LogContent(level, Value(json.RootElement, "Category"), message + exception);
        }
        catch (JsonException)
        {
            return null; // text that only looks like JSON
        }
    }

    private static string? Value(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static LogLevel LevelOf(string word) => word switch
    {
        "trce" => LogLevel.Trace,
        "dbug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "fail" => LogLevel.Error,
        "crit" => LogLevel.Critical,
        _ => LogLevel.Information,
    };

    [GeneratedRegex(@"^(?:[0-9:.TZ-]+ )?(?<level>trce|dbug|info|warn|fail|crit): (?<category>[^\s\[]+)\[-?\d+\] (?<text>.*)$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Simple();

    // Colours and cursor movements of terminals.
    [GeneratedRegex(@"\e\[[0-9;?]*[ -/]*[@-~]")]
    private static partial Regex Escapes();
}
