using System.Globalization;

namespace Telemetry.Benchmarks;

/// <summary>What benchmarks tell people, line by line.</summary>
internal static class Lines
{
    /// <summary>A fact or a figure, after its name.</summary>
    public static void Note(string name, FormattableString text) => Console.Out.WriteLine($"{name,-12}{text.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>A line as it is.</summary>
    public static void Plain(FormattableString text) => Console.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
