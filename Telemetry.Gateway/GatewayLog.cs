namespace Telemetry.Gateway;

/// <summary>The gateway's log events, 4000–4999.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(4000, LogLevel.Information, "The gateway answers on {Addresses}; store {DatabasePath}, queue {Queue}")]
    public static partial void Started(ILogger logger, string addresses, string databasePath, string queue);

    [LoggerMessage(4001, LogLevel.Information, "The gateway stopped after {Uptime}")]
    public static partial void Stopped(ILogger logger, TimeSpan uptime);

    [LoggerMessage(4002, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, string method, string path, Exception error);

    [LoggerMessage(4003, LogLevel.Warning, "{Method} {Path} was stopped after {Limit}: the query took too long")]
    public static partial void QueryTimedOut(ILogger logger, string method, string path, TimeSpan limit);

    [LoggerMessage(4005, LogLevel.Error, "{Method} {Path}: the store cannot be read")]
    public static partial void StoreUnavailable(ILogger logger, string method, string path, Exception error);

    [LoggerMessage(4004, LogLevel.Debug, "The queue cannot be asked: {Reason}")]
    public static partial void QueueUnreachable(ILogger logger, string reason, Exception error);

    [LoggerMessage(4020, LogLevel.Error, "The live feed failed; its listeners are cut off and may connect again")]
    public static partial void FeedFailed(ILogger logger, Exception error);

    [LoggerMessage(4021, LogLevel.Warning, "The live feed cannot read the store just now; it tries again")]
    public static partial void FeedWaits(ILogger logger, Exception error);

    [LoggerMessage(4022, LogLevel.Warning, "{Method} {Path} was cut off: what was sent until then is not whole")]
    public static partial void StreamCut(ILogger logger, string method, string path, Exception error);
}
