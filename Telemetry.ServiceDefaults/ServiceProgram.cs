using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.ServiceDefaults;

/// <summary>What every service's <c>Program.cs</c> does around its own host: help, settings, exit codes.</summary>
public static class ServiceProgram
{
    /// <summary>The exit code for settings that cannot be used.</summary>
    public const int ExitBadSettings = 2;

    /// <summary>The exit code for a failure while starting or running.</summary>
    public const int ExitFailure = 1;

    /// <summary>
    /// Reads the settings and runs the service; prints help for <c>--help</c>. A <see cref="SettingException"/> or
    /// <see cref="StartupException"/> becomes one line on standard error.
    /// </summary>
    /// <returns>0, 1 (failed) or 2 (bad settings).</returns>
    public static async Task<int> RunAsync<TOptions>(string program, string summary, string[] args, Func<TOptions, Task<int>> run)
        where TOptions : ServiceOptions, new()
    {
        if (args.Contains("--help") || args.Contains("-h") || args.Contains("-?"))
        {
            Console.Out.Write(SettingsReader.Help<TOptions>(program, summary));
            return 0;
        }
        // From here on the host decides when this process stops, if there is one.
        _ = Lifeline.OfThisProcess;
        try
        {
            return await run(SettingsReader.Read<TOptions>(args, Environment.GetEnvironmentVariable));
        }
        catch (SettingException error)
        {
            await Console.Error.WriteLineAsync($"{program}: {error.Message}");
            return ExitBadSettings;
        }
        catch (StartupException error)
        {
            await Console.Error.WriteLineAsync($"{program}: {error.Message}");
            return ExitFailure;
        }
    }
}
