namespace Telemetry.Broker;

/// <summary>The broker's log events, 1000 to 1999.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1000, LogLevel.Information, "broker started in {ElapsedMs} ms: gRPC on {Address}, metrics and health on {MetricsAddress}, log in {Log}, {Partitions} partitions a topic, {Records} records a partition, TTL {Ttl}")]
    public static partial void Started(this ILogger logger, long elapsedMs, string address, string metricsAddress, string log, int partitions, int records, TimeSpan ttl);

    [LoggerMessage(1001, LogLevel.Information, "broker stopped in {ElapsedMs} ms after {Uptime}: {Topics} topics with {Records} records, {Groups} groups")]
    public static partial void Stopped(this ILogger logger, long elapsedMs, TimeSpan uptime, int topics, long records, int groups);

    [LoggerMessage(1002, LogLevel.Error, "{Method} failed")]
    public static partial void RequestFailed(this ILogger logger, string method, Exception error);

    [LoggerMessage(1003, LogLevel.Error, "storage of topic {Topic}, partition {Partition} failed (fatal: {Fatal}); nothing was appended")]
    public static partial void StorageFailed(this ILogger logger, string topic, int partition, bool fatal, Exception error);

    [LoggerMessage(1004, LogLevel.Warning, "calls were still open when the broker stopped; their connections are closed")]
    public static partial void CallsLeft(this ILogger logger);

    [LoggerMessage(1005, LogLevel.Information, "opened {Partitions} partitions with {Records} records in {Segments} segments, of which {Scanned} were read through; {Torn} torn bytes cut off, {Damaged} records damaged; closed in order: {InOrder}")]
    public static partial void Recovered(this ILogger logger, int partitions, long records, int segments, int scanned, long torn, long damaged, bool inOrder);

    [LoggerMessage(1006, LogLevel.Error, "how far groups have read could not be stored; it is tried again")]
    public static partial void GroupsNotSaved(this ILogger logger, Exception error);

    [LoggerMessage(1007, LogLevel.Warning, "{Lines} lines of what groups had read were damaged; groups that later lines do not name may read some records again")]
    public static partial void GroupLinesDamaged(this ILogger logger, int lines);
}
