using System.Globalization;
using Telemetry.Messaging.Records;

namespace Telemetry.Broker.Commands;

/// <summary>Numbers and times as people read them, and as they are in answers.</summary>
internal static class Figures
{
    /// <summary>Stands for what is not there.</summary>
    public const string None = "-";

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Count(long? number) => number is { } there ? Count(there) : None;

    public static string Tenths(double number) => number.ToString("N1", CultureInfo.InvariantCulture);

    public static string Time(DateTimeOffset? time) => time is { } there ? Rfc3339(there) : None;

    /// <summary>One thing or several: <c>1 member</c>, <c>2 members</c>.</summary>
    public static string Of(long number, string noun) => $"{Count(number)} {noun}{(number == 1 ? "" : "s")}";

    /// <summary>A time in UTC, with milliseconds where they are not zero.</summary>
    public static string Rfc3339(DateTimeOffset time) => time.UtcDateTime.ToString(
        time.Millisecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time that the broker said; one that no calendar has is moved to the nearest that has one.</summary>
    public static DateTimeOffset At(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMs, RecordBatchLimits.TimeUnixMsMin, RecordBatchLimits.TimeUnixMsMax));

    /// <summary>The same where 0 is never.</summary>
    public static DateTimeOffset? AtOrNever(long unixMs) => unixMs == 0 ? null : At(unixMs);

    /// <summary>A committed offset; -1 is none.</summary>
    public static long? OffsetOrNone(long offset) => offset < 0 ? null : offset;

    /// <summary>A measured number; JSON has none that are not finite.</summary>
    public static double Finite(double number) => double.IsFinite(number) ? number : 0;
}
