using System.CommandLine;
using System.Globalization;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Storage.Verifying;

namespace Telemetry.Collector.Commands;

/// <summary><c>verify</c>: checks the store while collectors write it.</summary>
internal static class VerifyCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CollectorCommands commands, CommandConsole console)
    {
        var command = new Command("verify", "Checks the file, offsets, rows, chunks, and roll-ups against a recount. Reads only. Ends with 1 when something is wrong.");
        commands.Act(command, (database, _, cancellationToken) => Task.Run(
            () =>
            {
                var wrong = 0L;
                foreach (var check in Verification.Run(database, cancellationToken))
                {
                    wrong += check.FindingCount;
                    console.Out.WriteLine($"{(check.FindingCount == 0 ? "ok   " : "WRONG")} {check.Subject}: {check.Counts}");
                    foreach (var finding in check.Findings)
                        console.Out.WriteLine($"        {PrintableText.Line(finding)}");
                    if (check.FindingCount > check.Findings.Count)
                        console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"        and {check.FindingCount - check.Findings.Count:N0} more"));
                }
                console.Out.WriteLine(wrong == 0 ? "nothing is wrong" : string.Create(CultureInfo.InvariantCulture, $"{wrong:N0} things are wrong: restore a backup, or ask for help with these lines"));
                return wrong == 0 ? 0 : ServiceProgram.ExitFailure;
            }, cancellationToken));
        return command;
    }
}
