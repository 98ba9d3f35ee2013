namespace Telemetry.Storage.History;

/// <summary>Hours and minutes since 1970-01-01 UTC; earlier ones are negative.</summary>
internal static class Hours
{
    public const long MillisecondsOfMinute = 60_000;

    public const long MillisecondsOfHour = 60 * MillisecondsOfMinute;

    /// <summary>The hour of a time in milliseconds.</summary>
    public static long Of(long time) => FloorOf(time, MillisecondsOfHour);

    /// <summary>The first millisecond of an hour.</summary>
    public static long Start(long hour) => hour * MillisecondsOfHour;

    /// <summary>The first millisecond after an hour.</summary>
    public static long End(long hour) => (hour + 1) * MillisecondsOfHour;

    /// <summary>The minute of a time in milliseconds.</summary>
    public static long MinuteOf(long time) => FloorOf(time, MillisecondsOfMinute);

    private static long FloorOf(long time, long unit)
    {
        var (quotient, remainder) = Math.DivRem(time, unit);
        return remainder < 0 ? quotient - 1 : quotient;
    }
}
