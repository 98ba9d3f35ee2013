namespace Telemetry.ServiceDefaults.Commands;

/// <summary>Where a command writes.</summary>
/// <param name="Out">What was asked for.</param>
/// <param name="Error">Why it cannot be had.</param>
/// <param name="Colours">Whether what is written to <paramref name="Out"/> may have colours.</param>
public sealed record CommandConsole(TextWriter Out, TextWriter Error, bool Colours)
{
    /// <summary>The terminal, file or pipe that this process writes to.</summary>
    public static CommandConsole OfThisProcess() => new(
        Console.Out, Console.Error, HasColours(Console.IsOutputRedirected, Environment.GetEnvironmentVariable));

    /// <summary>Colours are for terminals that know them and people who want them (no-color.org).</summary>
    public static bool HasColours(bool isRedirected, Func<string, string?> environment) =>
        !isRedirected && environment("NO_COLOR") is null or "" && environment("TERM") != "dumb";
}
