namespace Telemetry.Broker;

/// <summary>The broker's log events, 1000 to 1999.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1000, LogLevel.Information, "broker started in {ElapsedMs} ms: gRPC on {Address}, metrics and health on {MetricsAddress}, log in memory only, {Partitions} partitions a topic, {Records} records a partition, TTL {Ttl}")]
    public static partial void Started(this ILogger logger, long elapsedMs, string address, string metricsAddress, int partitions, int records, TimeSpan ttl);

    [LoggerMessage(1001, LogLevel.Information, "broker stopped in {ElapsedMs} ms after {Uptime}: {Topics} topics with {Records} records in memory, {Groups} groups")]
    public static partial void Stopped(this ILogger logger, long elapsedMs, TimeSpan uptime, int topics, long records, int groups);

    [LoggerMessage(1002, LogLevel.Error, "{Method} failed")]
    public static partial void RequestFailed(this ILogger logger, string method, Exception error);

    [LoggerMessage(1003, LogLevel.Error, "storage of topic {Topic}, partition {Partition} failed (fatal: {Fatal}); nothing was appended")]
    public static partial void StorageFailed(this ILogger logger, string topic, int partition, bool fatal, Exception error);

    [LoggerMessage(1004, LogLevel.Warning, "calls were still open when the broker stopped; their connections are closed")]
    public static partial void CallsLeft(this ILogger logger);
}
