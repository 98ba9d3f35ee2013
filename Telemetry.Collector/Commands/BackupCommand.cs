using System.CommandLine;
using System.Globalization;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Storage.Files;

namespace Telemetry.Collector.Commands;

/// <summary><c>backup</c>: copies the store while collectors write it.</summary>
internal static class BackupCommand
{
    /// <summary>The command, with its argument.</summary>
    public static Command Create(CollectorCommands commands, CommandConsole console)
    {
        var file = new FileArgument("FILE", "The copy; must not be there yet, and be on a local disk.");
        var command = new Command("backup", "Copies the store, as it is at one moment, while collectors write it.") { file };
        commands.Act(command, async (database, line, cancellationToken) =>
        {
            var result = await Task.Run(() => Backup.Run(database, line.GetRequiredValue(file), cancellationToken), cancellationToken);
            await console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{PrintableText.Of(result.Path)}: {result.Rows:N0} rows, {result.Bytes:N0} bytes, {result.Duration.TotalSeconds:0.0} s"));
            return 0;
        });
        return command;
    }

    private sealed class FileArgument : Argument<string>, IAccepting
    {
        public FileArgument(string name, string description)
            : base(name) => Description = description;

        public string Expected => "a file";
    }
}
