using System.CommandLine;
using Grpc.Core;
using Telemetry.Broker.Rpc;
using Telemetry.Messaging.Client;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Commands;
using Telemetry.ServiceDefaults.Settings;
using ServiceQueueAddress = Telemetry.ServiceDefaults.QueueAddress;

namespace Telemetry.Broker.Commands;

/// <summary>How an answer is written.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>One JSON document.</summary>
    Json,
}

/// <summary>What all commands have in common: their options, the connection, and how errors become lines.</summary>
internal sealed class CommandRunner(CommandConsole console, Func<string, string?> environment)
{
    private static readonly TimeSpan TimeoutDefault = TimeSpan.FromSeconds(10);

    /// <summary>Which broker.</summary>
    public ValueOption<string> Address { get; } = new(
        "--address", $"The broker, as host:port or a URL. Without it {ServiceQueueAddress.Setting}, else {ServiceQueueAddress.Default}.",
        Accepted.Text("host:port, as localhost:9090, or a URL, as http://broker:9090"), "host:port")
    { Recursive = true };

    /// <summary>In which form.</summary>
    public ValueOption<OutputFormat> Output { get; } = new(
        "--output", "table (for people, the default) or json (one document, for programs).", Accepted.Word<OutputFormat>(), "table|json", "-o")
    { Recursive = true };

    /// <summary>How long the broker may take.</summary>
    public ValueOption<TimeSpan> Timeout { get; } = new(
        "--timeout", $"How long the broker may take to answer. Default {Durations.Format(TimeoutDefault)}.",
        Accepted.Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)), "duration")
    { Recursive = true };

    /// <summary>Makes a command do something with a broker.</summary>
    /// <param name="command">The command.</param>
    /// <param name="subject">What it is about, as <c>topic 'telemetry'</c>: errors name it. Empty: everything.</param>
    /// <param name="act">What it does.</param>
    public void Act(Command command, Func<ParseResult, string> subject, Func<AdminSession, ParseResult, Task> act) =>
        command.SetAction(async (line, _) =>
        {
            var timeout = line.GetResult(Timeout) is null ? TimeoutDefault : line.GetValue(Timeout);
            await using var connection = Connect(line.GetValue(Address));
            var session = new AdminSession(connection.Admin, new CallOptions(deadline: DateTime.UtcNow + timeout), line.GetValue(Output), console);
            try
            {
                await act(session, line);
            }
            catch (RpcException error)
            {
                throw new CommandException(ServiceProgram.ExitFailure, Reason(error, connection.Address, timeout, subject(line)), error);
            }
            return 0;
        });

    private QueueConnection Connect(string? given)
    {
        try
        {
            return new QueueConnection(given ?? ServiceQueueAddress.Resolve(environment(ServiceQueueAddress.Setting) ?? "", environment));
        }
        catch (Exception error) when (error is FormatException or SettingException)
        {
            throw new CommandException(ServiceProgram.ExitBadSettings, given is null ? error.Message : $"{Address.Name}: {error.Message}", error);
        }
    }

    private static string Reason(RpcException error, Uri address, TimeSpan timeout, string subject)
    {
        var at = $"the broker at {address.GetLeftPart(UriPartial.Authority)}";
        if (error.Trailers.GetValue(BrokerErrors.CodeTrailer) is null)
        {
            return error switch
            {
                { StatusCode: StatusCode.DeadlineExceeded } => $"{at} did not answer within {Durations.Format(timeout)}",
                { StatusCode: StatusCode.Unimplemented } => $"{at} does not know this command: it is an older one, or no broker",
                // The innermost message is the system's ("Connection refused"); the outer ones are gRPC's and HTTP's.
                { Status.DebugException: { } cause } => $"{at} cannot be reached: {cause.GetBaseException().Message}",
                { StatusCode: StatusCode.Unavailable } => $"{at} cannot be reached: {error.Status.Detail}",
                _ => $"{at} failed: {error.Status.Detail}",
            };
        }
        var (detail, name) = (error.Status.Detail, subject.Split('\'').ElementAtOrDefault(1) ?? "");
        return subject.Length == 0 || detail.Contains($"'{name}'", StringComparison.Ordinal) ? detail : $"{subject}: {detail}";
    }
}
