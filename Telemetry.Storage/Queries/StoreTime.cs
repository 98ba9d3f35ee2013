namespace Telemetry.Storage.Queries;

/// <summary>The store's times: whole milliseconds since 1970-01-01 UTC.</summary>
internal static class StoreTime
{
    /// <summary>The first whole millisecond that is not before <paramref name="time"/>: right for both ends of [start, end).</summary>
    public static long Ceiling(DateTimeOffset time)
    {
        var milliseconds = time.ToUnixTimeMilliseconds(); // rounds down
        return time.UtcTicks % TimeSpan.TicksPerMillisecond == 0 ? milliseconds : milliseconds + 1;
    }

    public static DateTimeOffset From(long unixMs) => DateTimeOffset.FromUnixTimeMilliseconds(unixMs);
}
