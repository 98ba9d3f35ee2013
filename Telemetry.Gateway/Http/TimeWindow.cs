using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Http;

/// <summary>The range of time that a request asks about: one of a few words, or its ends.</summary>
internal static class TimeWindow
{
    /// <summary>The range where a request does not say.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromHours(1);

    /// <summary>The longest range.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromDays(3660);

    /// <summary>The start of a range, in it.</summary>
    public static readonly TimeParameter Start = new("start_time", "Only records from this time on (included), with any offset.")
    {
        Example = "2025-07-18T20:00:00Z",
    };

    /// <summary>The end of a range, not in it.</summary>
    public static readonly TimeParameter End = new("end_time", "Only records before this time (not included), with any offset.")
    {
        Example = "2025-07-18T21:00:00Z",
    };

    /// <summary>A range that ends now.</summary>
    public static readonly ChoiceParameter<TimeSpan> Range = new(
        "time_range", "The time up to now, from the start of a minute. Not together with start_time or end_time.", Default, "1h",
        ("1h", TimeSpan.FromHours(1)), ("24h", TimeSpan.FromHours(24)), ("7d", TimeSpan.FromDays(7)))
    {
        Example = "24h",
    };

    /// <summary>Start and end where both may be missing.</summary>
    /// <exception cref="ProblemException">The end is not after the start.</exception>
    public static (DateTimeOffset? Start, DateTimeOffset? End) ReadOpen(ParameterValues values)
    {
        var (start, end) = (values.Get(Start), values.Get(End));
        if (start >= end)
            throw Problems.InvalidParameter(Start.Name, "is not before end_time; the range is [start_time, end_time)");
        return (start, end);
    }

    /// <summary>A bounded range. A missing end is now, a missing start is an hour before the end.</summary>
    /// <param name="values">The request's parameters.</param>
    /// <param name="now">The time.</param>
    /// <param name="range">The route's own words instead of <see cref="Range"/>.</param>
    /// <exception cref="ProblemException">The parameters contradict each other, or the range is too long.</exception>
    public static TimeRange Read(ParameterValues values, DateTimeOffset now, ChoiceParameter<TimeSpan>? range = null)
    {
        range ??= Range;
        if (values.Has(range) && (values.Has(Start) || values.Has(End)))
            throw Problems.InvalidParameter(range.Name, "is not possible together with start_time or end_time; give one or the other");
        if (values.Has(range))
            return Last(values.Get(range), now);
        var (start, end) = ReadOpen(values);
        if (start is null && end is null)
            return Last(values.Get(range), now);
        now = Milliseconds(now);
        end ??= now;
        if (start >= end)
            throw Problems.InvalidParameter(Start.Name, "is not before now; without end_time the range ends now");
        if (start is null && end.Value.UtcTicks < DateTimeOffset.UnixEpoch.UtcTicks)
            throw Problems.InvalidParameter(Start.Name, "is missing: an end_time before 1970 needs one");
        start ??= end - Default;
        if (end - start > Max)
            throw Problems.InvalidParameter(Start.Name, $"is more than {Max.TotalDays:0} days before the end of the range; ask for a shorter one");
        return new TimeRange(start.Value, end.Value);
    }

    /// <summary>The last <paramref name="span"/>, from a whole minute on: then the store has it in its roll-ups.</summary>
    public static TimeRange Last(TimeSpan span, DateTimeOffset now) => new(Minute(now - span), Milliseconds(now));

    private static DateTimeOffset Minute(DateTimeOffset time) => time.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerMinute));

    // A millisecond on, so that a record of this very millisecond is in the range.
    private static DateTimeOffset Milliseconds(DateTimeOffset now) => DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds() + 1);
}
