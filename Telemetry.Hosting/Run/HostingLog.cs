using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>The host's log events, 7000 to 7999.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(7000, LogLevel.Information, "starting {Resources}; logs follow, each line with its source in front")]
    public static partial void Starting(ILogger logger, string resources);

    [LoggerMessage(7001, LogLevel.Information, "{Replica} waits for {Dependencies}")]
    public static partial void Waiting(ILogger logger, string replica, string dependencies);

    [LoggerMessage(7002, LogLevel.Warning, "{Replica} is not started: {Reason}")]
    public static partial void NotStarted(ILogger logger, string replica, string reason);

    [LoggerMessage(7003, LogLevel.Information, "{Replica} started as process {ProcessId}")]
    public static partial void Started(ILogger logger, string replica, int processId);

    [LoggerMessage(7004, LogLevel.Warning, "{Replica} ended after {Seconds:0.0} s with exit code {ExitCode}{Reason}; it is started again in {Delay:0.0} s")]
    public static partial void Restarting(ILogger logger, string replica, double seconds, int exitCode, string reason, double delay);

    [LoggerMessage(7005, LogLevel.Information, "{Replica} has finished")]
    public static partial void Finished(ILogger logger, string replica);

    [LoggerMessage(7006, LogLevel.Error, "{Replica} cannot start, its settings are refused{Reason}")]
    public static partial void BadSettings(ILogger logger, string replica, string reason);

    [LoggerMessage(7007, LogLevel.Error, "{Replica} is given up after {Attempts} attempts to start, exit code {ExitCode}{Reason}")]
    public static partial void GivenUp(ILogger logger, string replica, int attempts, int exitCode, string reason);

    [LoggerMessage(7008, LogLevel.Information, "stopping; press Ctrl+C again to kill")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(7009, LogLevel.Warning, "{Replica} did not stop within {Seconds:0.#} s and is killed")]
    public static partial void Killed(ILogger logger, string replica, double seconds);

    [LoggerMessage(7010, LogLevel.Information, "stopped after {Seconds:0.0} s")]
    public static partial void Stopped(ILogger logger, double seconds);

    [LoggerMessage(7011, LogLevel.Error, "nothing runs any more: {Failed}")]
    public static partial void NothingRuns(ILogger logger, string failed);

    [LoggerMessage(7012, LogLevel.Information, "everything has finished")]
    public static partial void AllFinished(ILogger logger);

    [LoggerMessage(7013, LogLevel.Information, "{Replica} is healthy again")]
    public static partial void HealthyAgain(ILogger logger, string replica);

    [LoggerMessage(7014, LogLevel.Warning, "{Replica} is unhealthy: {Reason}")]
    public static partial void Unhealthy(ILogger logger, string replica, string reason);

    [LoggerMessage(7015, LogLevel.Critical, "the supervision of {Replica} has failed")]
    public static partial void SupervisionFailed(ILogger logger, string replica, Exception error);

    [LoggerMessage(7016, LogLevel.Information, "{Replica} is stopped by the dashboard: exit code {ExitCode}")]
    public static partial void StoppedByCommand(ILogger logger, string replica, int exitCode);

    [LoggerMessage(7017, LogLevel.Information, "the dashboard asked to {Command} {Target}")]
    public static partial void Command(ILogger logger, string command, string target);

    [LoggerMessage(7018, LogLevel.Error, "there is no dashboard")]
    public static partial void NoDashboard(ILogger logger, Exception error);

    [LoggerMessage(7019, LogLevel.Error, "the command to {Command} {Target} has failed")]
    public static partial void CommandFailed(ILogger logger, string command, string target, Exception error);
}
