using System.Globalization;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>This machine's clock against others.</summary>
internal static class ClockCheck
{
    private const string Name = "clock";
    private const string Advice = "keep the clocks of all machines by NTP (timedatectl, chronyc tracking)";

    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>Against the newest record: one from the future says that one of two clocks is wrong. One that is old says nothing.</summary>
    public static Diagnosis OfRecords(DateTimeOffset newest, DateTimeOffset now) => newest - now > Tolerance
        ? Diagnosis.Warn(Name, $"the newest record is {Seconds(newest - now)} in the future", $"the clock of its source, or of this machine, is wrong: {Advice}")
        : Diagnosis.Ok(Name, "no record is from the future");

    /// <summary>Against the broker's, which it tells in whole seconds.</summary>
    public static Diagnosis OfBroker(DateTimeOffset broker, DateTimeOffset before, DateTimeOffset after)
    {
        var skew = broker > after ? broker - after : broker + TimeSpan.FromSeconds(1) < before ? broker + TimeSpan.FromSeconds(1) - before : TimeSpan.Zero;
        return skew.Duration() > Tolerance
            ? Diagnosis.Warn(Name, $"the broker's is {Seconds(skew.Duration())} {(skew > TimeSpan.Zero ? "ahead of" : "behind")} this machine's", Advice)
            : Diagnosis.Ok(Name, "the broker's is as this machine's, to two seconds");
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");
}
