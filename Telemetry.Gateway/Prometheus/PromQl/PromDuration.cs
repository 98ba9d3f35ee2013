namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>Lengths of time as Prometheus writes them: <c>5m</c>, <c>1h30m</c>, <c>1d</c>, <c>100ms</c>; each unit once, from long to short.</summary>
internal static class PromDuration
{
    private const long Day = 24 * 3_600_000L;

    private static readonly (string Unit, long Milliseconds)[] Units =
        [("y", 365 * Day), ("w", 7 * Day), ("d", Day), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    /// <summary>The longest: a hundred years.</summary>
    public const long MillisecondsMax = 100 * 365 * Day;

    /// <summary>Reads one of up to <see cref="MillisecondsMax"/>.</summary>
    public static bool TryParse(string text, out long milliseconds)
    {
        milliseconds = 0;
        var unit = 0;
        for (var at = 0; at < text.Length;)
        {
            long number = 0;
            var digits = at;
            for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            {
                number = (number * 10) + (text[at] - '0');
                if (number > MillisecondsMax)
                    return false;
            }
            var letters = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
                at++;
            var name = text[letters..at];
            var found = Array.FindIndex(Units, u => u.Unit == name);
            if (digits == letters || found < unit || number > MillisecondsMax / Units[found].Milliseconds)
                return false;
            unit = found + 1;
            milliseconds += number * Units[found].Milliseconds;
        }
        return unit > 0 && milliseconds <= MillisecondsMax;
    }
}
