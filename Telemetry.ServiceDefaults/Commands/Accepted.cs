using System.Globalization;
using System.Numerics;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.ServiceDefaults.Commands;

/// <summary>How the text of an option or argument becomes a value.</summary>
/// <param name="Expected">What is accepted, as the end of "… is not accepted: expected …".</param>
/// <param name="Read">The value; an error where the text is not one.</param>
public sealed record Accepted<T>(string Expected, Func<string, (bool Ok, T Value)> Read);

/// <summary>What options and arguments accept.</summary>
public static class Accepted
{
    /// <summary>A whole number within bounds.</summary>
    public static Accepted<T> WholeNumber<T>(T min, T max)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(
        max == T.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}",
        text => (T.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max, number));

    /// <summary>A duration as settings write it.</summary>
    public static Accepted<TimeSpan> Duration(TimeSpan min, TimeSpan max) => new(
        $"a duration such as 500ms, 5s or 1m from {Durations.Format(min)} to {Durations.Format(max)}",
        text => (Durations.TryParse(text, out var duration) && duration >= min && duration <= max, duration));

    /// <summary>A time in RFC 3339, with its offset.</summary>
    public static Accepted<DateTimeOffset> Time { get; } = new(
        "a time in RFC 3339, as 2026-11-23T20:42:34Z or 2026-11-23T21:42:34.5+01:00",
        text => (TryReadTime(text, out var time), time));

    /// <summary>One of the words that an enum has.</summary>
    public static Accepted<T> Word<T>()
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().ToDictionary(value => value.ToString().ToLowerInvariant());
        return new(string.Join(" or ", words.Keys), text => (words.TryGetValue(text, out var value), value));
    }

    /// <summary>A text that is not empty.</summary>
    public static Accepted<string> Text(string expected) => new(expected, text => (text.Length > 0, text));

    private static bool TryReadTime(string text, out DateTimeOffset time)
    {
        // K also takes a time without an offset, which would be the time of whoever runs this.
        var hasOffset = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-');
        return DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture, DateTimeStyles.None, out time) && hasOffset;
    }
}
