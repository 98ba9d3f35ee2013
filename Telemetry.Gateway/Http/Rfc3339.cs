using System.Globalization;

namespace Telemetry.Gateway.Http;

/// <summary>Times as the API reads and writes them (RFC 3339).</summary>
internal static class Rfc3339
{
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];

    /// <summary>What <see cref="TryParse"/> accepts, for error texts.</summary>
    public const string Expected = "an RFC 3339 time with an offset, such as 2025-07-18T20:42:34Z or 2025-07-18T22:42:34%2B02:00";

    /// <summary>
    /// Reads a time with any offset. Parts of a millisecond are rounded up, as the store's times are whole milliseconds:
    /// so [start, end) takes the same records as the exact times would.
    /// </summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length is < 20 or > 35)
            return false;
        var normal = text.ToUpperInvariant();
        if (normal[^1] == 'Z')
            normal = normal[..^1] + "+00:00";
        else if (normal[^6] == ' ') // a '+' that was not encoded arrives as a space
            normal = normal[..^6] + "+" + normal[^5..];
        if (!DateTimeOffset.TryParseExact(normal, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var read))
            return false;
        var rest = read.UtcTicks % TimeSpan.TicksPerMillisecond;
        if (rest > 0 && read.UtcTicks > DateTimeOffset.MaxValue.UtcTicks - TimeSpan.TicksPerMillisecond)
            return false;
        time = rest == 0 ? read : read.AddTicks(TimeSpan.TicksPerMillisecond - rest);
        return true;
    }

    /// <summary>Writes a time in UTC, with milliseconds where they are not zero.</summary>
    public static bool TryFormat(DateTimeOffset time, Span<byte> utf8, out int written) =>
        time.UtcDateTime.TryFormat(
            utf8, out written, time.UtcTicks % TimeSpan.TicksPerSecond < TimeSpan.TicksPerMillisecond ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
            CultureInfo.InvariantCulture);
}
