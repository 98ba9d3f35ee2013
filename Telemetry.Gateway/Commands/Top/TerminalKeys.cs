namespace Telemetry.Gateway.Commands.Top;

/// <summary>What a terminal has besides its text.</summary>
/// <param name="Size">Its columns and lines now.</param>
/// <param name="Key">The next key that was pressed; null for none.</param>
/// <param name="IsSteerable">Whether text can be put anywhere on its screen.</param>
internal sealed record TerminalKeys(Func<(int Width, int Height)> Size, Func<ConsoleKeyInfo?> Key, bool IsSteerable = true)
{
    /// <summary>Of this process's terminal; null where its output goes elsewhere.</summary>
    public static TerminalKeys? OfThisProcess() => Console.IsOutputRedirected ? null : new(
        () => (Math.Max(Console.WindowWidth, 1), Math.Max(Console.WindowHeight, 1)),
        () => !Console.IsInputRedirected && Console.KeyAvailable ? Console.ReadKey(intercept: true) : null,
        Environment.GetEnvironmentVariable("TERM") != "dumb");
}
