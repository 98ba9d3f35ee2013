using System.CommandLine;
using System.CommandLine.Help;
using Telemetry.ServiceDefaults;

namespace Telemetry.Broker.Commands;

/// <summary>
/// The broker program with a command: it looks into a broker that runs, or changes it, and ends. Exit codes are those of the
/// services: 0 done, 1 refused or not reached, 2 a command line that makes no sense; the latter two with one line on
/// standard error.
/// </summary>
internal static class AdminProgram
{
    /// <summary>For the broker's own help.</summary>
    public const string Hint = "With a command (topics, groups, peek) it looks into a broker that runs: broker topics --help.";

    private const string Name = "broker";

    /// <summary>Whether a command is meant, rather than the broker with its flags.</summary>
    public static bool IsMeant(string[] args) => args is [var first, ..] && !first.StartsWith('-');

    /// <summary>Runs a command in this process's terminal.</summary>
    public static Task<int> RunAsync(string[] args) => RunAsync(args, CommandConsole.OfThisProcess(), Environment.GetEnvironmentVariable);

    /// <summary>Runs a command.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    public static async Task<int> RunAsync(string[] args, CommandConsole console, Func<string, string?> environment)
    {
        var runner = new CommandRunner(console, environment);
        // Not a RootCommand, which would be named after its file.
        var root = new Command(Name, "Looks into a message queue that runs, and changes it.")
        {
            TopicCommands.Create(runner),
            GroupCommands.Create(runner),
            PeekCommand.Create(runner),
            runner.Address,
            runner.Output,
            runner.Timeout,
            new HelpOption(),
        };
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
                ProcessTerminationTimeout = null,
            });
        }
        catch (CommandException error)
        {
            return await FailAsync(error.ExitCode, error.Message);
        }

        async Task<int> FailAsync(int code, string reason)
        {
            await console.Error.WriteLineAsync($"{Name}: {PrintableText.Line(reason)}");
            return code;
        }
    }
}

/// <summary>A command that cannot be done; the message is a line for people.</summary>
internal sealed class CommandException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How the program ends.</summary>
    public int ExitCode { get; } = exitCode;
}
