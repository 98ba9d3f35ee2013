using System.Globalization;

namespace Telemetry.ServiceDefaults.Settings;

/// <summary>Durations as settings write them: a number and a unit of ms, s, m, h or d (<c>500ms</c>, <c>1.5s</c>, <c>24h</c>); 0 needs no unit.</summary>
public static class Durations
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    /// <summary>Reads a duration. False when the text is not one, is negative, or exceeds <see cref="TimeSpan.MaxValue"/>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var trimmed = text.AsSpan().Trim();
        if (trimmed is "0")
            return true;
        foreach (var (unit, seconds) in Units)
        {
            if (!trimmed.EndsWith(unit, StringComparison.Ordinal))
                continue;
            const NumberStyles style = NumberStyles.AllowDecimalPoint;
            if (!double.TryParse(trimmed[..^unit.Length], style, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
                continue; // "5ms" also ends with "s"
            var total = number * seconds;
            if (total > TimeSpan.MaxValue.TotalSeconds / 2)
                return false;
            duration = TimeSpan.FromTicks((long)Math.Round(total * TimeSpan.TicksPerSecond));
            return true;
        }
        return false;
    }

    /// <summary>The shortest text that <see cref="TryParse"/> reads back: the largest unit that divides the duration.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        for (var i = Units.Length - 1; i >= 0; i--)
        {
            var ticks = (long)(Units[i].Seconds * TimeSpan.TicksPerSecond);
            // A day is written 24h, as people do for a period of one day.
            if (duration.Ticks % ticks == 0 && duration.Ticks / ticks >= (Units[i].Unit == "d" ? 2 : 1))
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{Units[i].Unit}");
        }
        return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0.####}ms");
    }
}
