namespace Telemetry.Collector;

/// <summary>The collector's log events, 3000–3999.</summary>
internal static partial class CollectorLog
{
    [LoggerMessage(3000, LogLevel.Information, "collector started: queue {Queue}, topic {Topic}, group {Group}, database {Database} with {Bytes} bytes")]
    public static partial void Started(ILogger logger, string queue, string topic, string group, string database, long bytes);

    [LoggerMessage(3001, LogLevel.Information, "collector stopped after {Seconds:0.0} s of flushing")]
    public static partial void Stopped(ILogger logger, double seconds);

    [LoggerMessage(3002, LogLevel.Warning, "the grace period ended before everything in hand was written: {Records} records are left in the queue")]
    public static partial void StoppedEarly(ILogger logger, long records);

    [LoggerMessage(3003, LogLevel.Critical, "the collector cannot go on and stops")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(3010, LogLevel.Information, "{Topic}/{Partition}: taken with owner epoch {OwnerEpoch}, the store is at offset {Offset}")]
    public static partial void PartitionTaken(ILogger logger, string topic, int partition, long ownerEpoch, long offset);

    [LoggerMessage(3011, LogLevel.Information, "{Topic}: gave back partitions {Partitions}")]
    public static partial void PartitionsReleased(ILogger logger, string topic, string partitions);

    [LoggerMessage(3012, LogLevel.Warning, "{Topic}: lost partitions {Partitions}: {Reason}; what was in hand is dropped and will be read again by their owner")]
    public static partial void PartitionsLost(ILogger logger, string topic, string partitions, string reason);

    [LoggerMessage(3013, LogLevel.Warning, "{Topic}/{Partition}: the store refused the write, another collector owns the partition; what was in hand is dropped")]
    public static partial void Fenced(ILogger logger, string topic, int partition);

    [LoggerMessage(3014, LogLevel.Error, "{Topic}/{Partition}: the queue refuses to be read ({Code}): {Reason}")]
    public static partial void FetchRefused(ILogger logger, string topic, int partition, string code, string reason);

    [LoggerMessage(3015, LogLevel.Warning, "{Topic}: partitions {Partitions} could not be written in the {Seconds:0.0} s before they had to be given back; they are dropped")]
    public static partial void RevokedBeforeWritten(ILogger logger, string topic, string partitions, double seconds);

    [LoggerMessage(3020, LogLevel.Error, "the store does not take writes, trying again: {Reason}")]
    public static partial void StoreFailed(ILogger logger, string reason);

    [LoggerMessage(3021, LogLevel.Information, "the store takes writes again after {Seconds:0.0} s")]
    public static partial void StoreIsBack(ILogger logger, double seconds);

    [LoggerMessage(3022, LogLevel.Warning, "{Topic}/{Partition}: {Records} records from offset {Offset} cannot be stored ({Reason}): {Detail}")]
    public static partial void DeadLetter(ILogger logger, string topic, int partition, long records, long offset, string reason, string detail);

    [LoggerMessage(3023, LogLevel.Warning, "{Topic}/{Partition}: the records from offset {From} to {To} never came: {Reason}")]
    public static partial void Gap(ILogger logger, string topic, int partition, long from, long to, string reason);

    [LoggerMessage(3024, LogLevel.Warning, "{Values} values of metric '{Metric}' were left out: {Reason}")]
    public static partial void RefusedValues(ILogger logger, long values, string metric, string reason);

    [LoggerMessage(3025, LogLevel.Warning, "the write-ahead log has {Bytes} bytes: a reader stays in an old state and keeps it from being emptied")]
    public static partial void WalIsLarge(ILogger logger, long bytes);

    [LoggerMessage(3030, LogLevel.Debug, "the queue did not take note of offsets (the store has them): {Reason}")]
    public static partial void CommitFailed(ILogger logger, string reason);

    [LoggerMessage(3040, LogLevel.Information, "removed {Records} records older than {Retention} from the history")]
    public static partial void RecordsExpired(ILogger logger, long records, string retention);
}
