using System.CommandLine;
using System.Globalization;

namespace Telemetry.Benchmarks;

/// <summary>Options that are whole numbers.</summary>
internal static class WholeNumbers
{
    /// <summary>An option with a default.</summary>
    public static Option<int> Option(string name, string description, int defaultValue, int min = 1) =>
        Check(new Option<int>(name) { Description = description, DefaultValueFactory = _ => defaultValue }, min);

    /// <summary>An option that may be left out.</summary>
    public static Option<int?> Optional(string name, string description, int min = 1) =>
        Check(new Option<int?>(name) { Description = description }, min);

    private static T Check<T>(T option, int min)
        where T : Option
    {
        // The text, not the value: of a text that is no number, asking for the value throws.
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!int.TryParse(token.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) || value < min)
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: expected a whole number of at least {min}"));
            }
        });
        return option;
    }
}
