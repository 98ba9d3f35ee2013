using System.CommandLine;
using System.CommandLine.Help;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Storage;

namespace Telemetry.Collector.Commands;

/// <summary>The collector's program with a command: it works on the database file, while collectors write it, and ends.</summary>
internal sealed class CollectorCommands
{
    /// <summary>For the collector's own help.</summary>
    public const string Hint = "With a command (export, verify, backup) it works on the database file, while collectors write it: collector export --help.";

    private const string Setting = "DATABASE_PATH";

    // How long a command may take to clean up after Ctrl+C.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(5);

    private readonly Func<string, string?> _environment;

    private readonly ValueOption<string> _databasePath = new(
        "--database-path", $"The database file. Without it {Setting}, else {new CollectorOptions().DatabasePath}.", Accepted.Text("a file"), "file")
    { Recursive = true };

    private CollectorCommands(Func<string, string?> environment) => _environment = environment;

    /// <summary>Runs a command in this process's terminal.</summary>
    public static Task<int> RunAsync(string[] args) =>
        RunAsync(args, CommandConsole.OfThisProcess(), StandardOutput.Open, Environment.GetEnvironmentVariable);

    /// <summary>Runs a command.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="console">Where to write texts for people.</param>
    /// <param name="openOutput">Opens what data are written to where no file is named.</param>
    /// <param name="environment">Looks up an environment variable; null or empty where it is not set.</param>
    public static Task<int> RunAsync(string[] args, CommandConsole console, Func<Stream> openOutput, Func<string, string?> environment)
    {
        var commands = new CollectorCommands(environment);
        var root = new Command("collector", "Works on the database file, while collectors write it.")
        {
            ExportCommand.Create(commands, openOutput),
            VerifyCommand.Create(commands, console),
            BackupCommand.Create(commands, console),
            commands._databasePath,
            new HelpOption(),
        };
        return CommandProgram.RunAsync(root, args, console, TerminationTimeout);
    }

    /// <summary>Makes a command do something with a database file.</summary>
    public void Act(Command command, Func<string, ParseResult, CancellationToken, Task<int>> act) =>
        command.SetAction(async (line, cancellationToken) =>
        {
            try
            {
                return await act(DatabasePath(line), line, cancellationToken);
            }
            catch (StoreException error)
            {
                throw new CommandException(ServiceProgram.ExitFailure, error.Message, error);
            }
            catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
            {
                throw new CommandException(ServiceProgram.ExitFailure, $"{command.Name} was stopped before its end", error);
            }
        });

    private string DatabasePath(ParseResult line) =>
        line.GetValue(_databasePath) ?? (_environment(Setting) is { Length: > 0 } path ? path : new CollectorOptions().DatabasePath);
}
