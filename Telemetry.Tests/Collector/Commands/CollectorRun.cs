using System.Text;
using Telemetry.Collector.Commands;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Tests.ServiceDefaults;

namespace Telemetry.Tests.Collector.Commands;

/// <summary>What a collector's command wrote, and how it ended.</summary>
internal sealed record CollectorRun(int Code, string Out, string Error) : CommandRun(Code, Out, Error)
{
    public static async Task<CollectorRun> OfAsync(string databasePath, params string[] args)
    {
        var (text, error, data) = (new StringWriter(), new StringWriter(), new MemoryStream());
        var code = await CollectorCommands.RunAsync(args, new CommandConsole(text, error, false), () => data, name => name == "DATABASE_PATH" ? databasePath : null);
        return new CollectorRun(code, text + Encoding.UTF8.GetString(data.ToArray()), error.ToString());
    }
}
