using System.CommandLine;
using System.CommandLine.Help;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Broker.Commands;

/// <summary>
/// The broker program with a command: it looks into a broker that runs, or changes it, and ends. Exit code 1 is refused or
/// not reached.
/// </summary>
internal static class AdminProgram
{
    /// <summary>For the broker's own help.</summary>
    public const string Hint = "With a command (topics, groups, peek) it looks into a broker that runs: broker topics --help.";

    private const string Name = "broker";

    /// <summary>Runs a command in this process's terminal.</summary>
    public static Task<int> RunAsync(string[] args) => RunAsync(args, CommandConsole.OfThisProcess(), Environment.GetEnvironmentVariable);

    /// <summary>Runs a command.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    public static Task<int> RunAsync(string[] args, CommandConsole console, Func<string, string?> environment)
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
        return CommandProgram.RunAsync(root, args, console);
    }
}
