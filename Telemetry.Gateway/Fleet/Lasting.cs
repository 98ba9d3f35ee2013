using System.Globalization;

namespace Telemetry.Gateway.Fleet;

/// <summary>How long something lasted, for people.</summary>
internal static class Lasting
{
    /// <summary>To the second below an hour, to the minute below two days, to the hour above: <c>3 min 30 s</c>.</summary>
    public static string Text(TimeSpan span) => span switch
    {
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, span.TotalSeconds):0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min{(span.Seconds > 0 ? $" {span.Seconds} s" : "")}"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} h{(span.Minutes > 0 ? $" {span.Minutes} min" : "")}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} d{(span.Hours > 0 ? $" {span.Hours} h" : "")}"),
    };
}
