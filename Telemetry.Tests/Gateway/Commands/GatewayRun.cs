using Telemetry.Gateway.Commands;
using Telemetry.Gateway.Commands.Top;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.Tests.ServiceDefaults;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>What a gateway's command wrote, and how it ended.</summary>
internal sealed record GatewayRun(int Code, string Out, string Error) : CommandRun(Code, Out, Error)
{
    /// <summary>Runs a command with its output in a file.</summary>
    public static Task<GatewayRun> OfAsync(params string[] args) => OfAsync([], args);

    /// <summary>The same with settings in the environment.</summary>
    public static Task<GatewayRun> OfAsync(Dictionary<string, string> environment, params string[] args) =>
        OfAsync(terminal: null, hasColours: false, environment, args);

    /// <summary>Runs a command in a terminal.</summary>
    public static Task<GatewayRun> InTerminalAsync(TerminalKeys terminal, params string[] args) => OfAsync(terminal, hasColours: true, [], args);

    /// <summary>The same with NO_COLOR.</summary>
    public static Task<GatewayRun> WithoutColoursAsync(TerminalKeys terminal, params string[] args) => OfAsync(terminal, hasColours: false, [], args);

    private static async Task<GatewayRun> OfAsync(TerminalKeys? terminal, bool hasColours, Dictionary<string, string> environment, string[] args)
    {
        var (text, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var code = await GatewayCommands.RunAsync(args, new CommandConsole(text, error, hasColours), terminal, environment.GetValueOrDefault);
        return new GatewayRun(code, text.ToString(), error.ToString());
    }
}
