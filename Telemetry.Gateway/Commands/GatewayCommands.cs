using System.CommandLine;
using System.CommandLine.Help;
using Telemetry.Gateway.Commands.Doctor;
using Telemetry.Gateway.Commands.Top;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Gateway.Commands;

/// <summary>The gateway's program with a command: it shows the fleet in a terminal, or says what is wrong with a set-up.</summary>
internal static class GatewayCommands
{
    /// <summary>For the gateway's own help.</summary>
    public const string Hint = "With a command (top, doctor) it shows the fleet in a terminal, or looks for what is wrong: gateway top --help.";

    // How long a command may take to clean up after Ctrl+C.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Runs a command in this process's terminal.</summary>
    public static Task<int> RunAsync(string[] args) =>
        RunAsync(args, CommandConsole.OfThisProcess(), TerminalKeys.OfThisProcess(), Environment.GetEnvironmentVariable);

    /// <summary>Runs a command.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="terminal">The terminal that <paramref name="console"/> writes to; null where it is none.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    public static Task<int> RunAsync(string[] args, CommandConsole console, TerminalKeys? terminal, Func<string, string?> environment)
    {
        var root = new Command("gateway", "Shows the fleet, or looks for what is wrong.")
        {
            TopCommand.Create(console, terminal),
            DoctorCommand.Create(console, environment),
            new HelpOption(),
        };
        return CommandProgram.RunAsync(root, args, console, TerminationTimeout);
    }

    /// <summary>Makes a command do something that Ctrl+C ends.</summary>
    public static void Act(Command command, Func<ParseResult, CancellationToken, Task<int>> act) =>
        command.SetAction(async (line, cancellationToken) =>
        {
            try
            {
                return await act(line, cancellationToken);
            }
            catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
            {
                throw new CommandException(ServiceProgram.ExitFailure, $"{command.Name} was stopped before its end", error);
            }
        });
}
