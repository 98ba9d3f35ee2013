using System.Globalization;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>Times as Prometheus reads them: seconds since 1970 with a fraction, or RFC 3339.</summary>
internal static class PromTime
{
    /// <summary>The latest time in seconds: the end of the year 9999. The earliest is as far before 1970 as that is after it.</summary>
    public const double SecondsMax = 253_402_300_799;

    /// <summary>Whole milliseconds.</summary>
    public static long Milliseconds(double seconds) => (long)Math.Round(seconds * 1000);

    /// <summary>Reads a time.</summary>
    public static bool TryParse(string text, out long milliseconds)
    {
        milliseconds = 0;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
        {
            if (!(Math.Abs(seconds) <= SecondsMax))
                return false;
            milliseconds = Milliseconds(seconds);
            return true;
        }
        if (!Rfc3339.TryParse(text, out var time))
            return false;
        milliseconds = time.ToUnixTimeMilliseconds();
        return true;
    }
}
