using System.CommandLine;
using System.Text.Json;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary><c>doctor</c>: looks at everything that the gateway depends on, and says what to do about what is wrong.</summary>
internal static class DoctorCommand
{
    private static readonly IReadOnlyList<SettingDescription> Settings = SettingDescription.Of(new GatewayOptions());

    /// <summary>The command, with its options.</summary>
    public static Command Create(CommandConsole console, Func<string, string?> environment)
    {
        var settings = Settings.Select(Option).ToList();
        var deep = new Option<bool>("--deep") { Description = "Reads all of the store and recounts it at the end, as the collector's verify does." };
        var json = new Option<bool>("--json") { Description = "One JSON document." };
        var command = new Command("doctor",
            "Looks at settings, port, clock, disk, store, records and queue as a gateway that is started here would find them. Changes nothing. Ends with 1 when something fails.")
        {
            deep, json,
        };
        foreach (var setting in settings)
            command.Add(setting);
        GatewayCommands.Act(command, async (line, cancellationToken) =>
        {
            List<string> flags = [.. settings.Where(s => line.GetResult(s) is not null).Select(s => line.GetValue(s) is { } value ? $"{s.Name}={value}" : s.Name)];
            RefuseUnusable(flags);
            var examination = new Examination(flags, environment) { IsDeep = line.GetValue(deep) };
            var all = new List<Diagnosis>();
            await foreach (var found in examination.RunAsync(cancellationToken))
            {
                all.Add(found);
                if (!line.GetValue(json))
                    await WriteAsync(console, found);
            }
            var fails = all.Count(d => d.Outcome == Outcome.Fail);
            if (line.GetValue(json))
                await console.Out.WriteLineAsync(JsonSerializer.Serialize(new DoctorAnswer { Time = DateTimeOffset.UtcNow, Ok = fails == 0, Data = all }, CommandJson.Default.DoctorAnswer));
            else
                await console.Out.WriteLineAsync($"{Things(fails)} and {Warnings(all.Count(d => d.Outcome == Outcome.Warn))}");
            return fails == 0 ? 0 : ServiceProgram.ExitFailure;
        });
        return command;
    }

    private static ValueOption<string> Option(SettingDescription setting) => new(
        setting.Flag, $"As the gateway's own flag; without it {setting.Name}, else {setting.DefaultText}.",
        new Accepted<string>(setting.Expected, text => (setting.Accepts(text), text)), "value")
    {
        Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    // By the flags alone: what the environment has is what doctor is asked about, and a finding.
    private static void RefuseUnusable(IReadOnlyList<string> flags)
    {
        try
        {
            Setup.Read(flags, _ => null);
        }
        catch (SettingException error)
        {
            var setting = Settings.FirstOrDefault(s => error.Message.StartsWith(s.Name + ":", StringComparison.Ordinal));
            throw new CommandException(ServiceProgram.ExitBadSettings, setting is null ? error.Message : setting.Flag + error.Message[setting.Name.Length..], error);
        }
    }

    private static async Task WriteAsync(CommandConsole console, Diagnosis found)
    {
        var (word, colour) = found.Outcome switch
        {
            Outcome.Ok => ("ok  ", "\e[32m"),
            Outcome.Warn => ("warn", "\e[33m"),
            _ => ("FAIL", "\e[31m"),
        };
        await console.Out.WriteLineAsync($"{(console.Colours ? $"{colour}{word}\e[0m" : word)}  {PrintableText.Line($"{found.Check}: {found.Text}")}");
        if (found.Advice is not null)
            await console.Out.WriteLineAsync($"      → {PrintableText.Line(found.Advice)}");
    }

    private static string Things(int count) => count switch { 0 => "nothing fails", 1 => "1 thing fails", _ => $"{count} things fail" };

    private static string Warnings(int count) => count switch { 0 => "there is no warning", 1 => "there is 1 warning", _ => $"there are {count} warnings" };
}
