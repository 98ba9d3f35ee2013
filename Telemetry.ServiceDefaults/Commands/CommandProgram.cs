using System.CommandLine;
using System.CommandLine.Help;

namespace Telemetry.ServiceDefaults.Commands;

/// <summary>
/// A service's program with a command: it does one thing and ends. Exit codes are those of the services: 0 done, 1 refused
/// or failed, 2 a command line that makes no sense; the latter two with one line on standard error.
/// </summary>
public static class CommandProgram
{
    /// <summary>Whether a command is meant, rather than the service with its flags.</summary>
    public static bool IsMeant(string[] args) => args is [var first, ..] && !first.StartsWith('-');

    /// <summary>Runs a command.</summary>
    /// <param name="root">The program with all of its commands; named as the service.</param>
    /// <param name="args">The command line.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="terminationTimeout">How long a command may take to end after Ctrl+C or SIGTERM cancels it; null: they end the process at once.</param>
    public static async Task<int> RunAsync(Command root, string[] args, CommandConsole console, TimeSpan? terminationTimeout = null)
    {
        // A value may begin with '@'.
        var line = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (line.Action is not HelpAction && CommandLineErrors.First(line) is { } wrong)
            return await FailAsync(ServiceProgram.ExitBadSettings, wrong);
        try
        {
            return await line.InvokeAsync(new InvocationConfiguration
            {
                Output = console.Out,
                Error = console.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = terminationTimeout,
            });
        }
        catch (CommandException error)
        {
            return await FailAsync(error.ExitCode, error.Message);
        }

        async Task<int> FailAsync(int code, string reason)
        {
            await console.Error.WriteLineAsync($"{root.Name}: {PrintableText.Line(reason)}");
            return code;
        }
    }
}

/// <summary>A command that cannot be done; the message is a line for people.</summary>
public sealed class CommandException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How the program ends.</summary>
    public int ExitCode { get; } = exitCode;
}
