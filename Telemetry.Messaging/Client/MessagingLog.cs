using Microsoft.Extensions.Logging;

namespace Telemetry.Messaging.Client;

/// <summary>The clients' log events: 5000–5999.</summary>
internal static partial class MessagingLog
{
    [LoggerMessage(5000, LogLevel.Warning, "{Client}: the queue cannot be reached and is tried again until it answers: {Reason}")]
    public static partial void LinkLost(ILogger logger, string client, string reason);

    [LoggerMessage(5001, LogLevel.Information, "{Client}: the queue answers again after {Seconds:0.0} s")]
    public static partial void LinkBack(ILogger logger, string client, double seconds);

    [LoggerMessage(5010, LogLevel.Warning, "{Client}: the log is new, was restored, or forgot this producer; {Records} unacknowledged records are numbered anew from sequence {Sequence} in partition {Partition}")]
    public static partial void ProducerRenumbered(ILogger logger, string client, int records, long sequence, int partition);

    [LoggerMessage(5011, LogLevel.Error, "{Client}: the producer ends: {Reason}")]
    public static partial void ProducerEnded(ILogger logger, string client, string reason);

    [LoggerMessage(5012, LogLevel.Error, "{Client}: a batch of {Records} records for partition {Partition} was refused for good: {Reason}")]
    public static partial void PublishRefused(ILogger logger, string client, int records, int partition, string reason);

    [LoggerMessage(5020, LogLevel.Warning, "{Client}: lost shards {Shards}: {Reason}")]
    public static partial void ShardsLost(ILogger logger, string client, string shards, string reason);

    [LoggerMessage(5021, LogLevel.Error, "{Client}: the membership ends: {Reason}")]
    public static partial void MembershipEnded(ILogger logger, string client, string reason);
}

/// <summary>Tells once that the queue was lost, and once that it is back.</summary>
internal sealed class LinkLog(ILogger logger, string client, TimeProvider time)
{
    private long _lostAt;
    private bool _lost;

    public void Lost(string reason)
    {
        if (_lost)
            return;
        _lost = true;
        _lostAt = time.GetTimestamp();
        MessagingLog.LinkLost(logger, client, reason);
    }

    public void Back()
    {
        if (!_lost)
            return;
        _lost = false;
        MessagingLog.LinkBack(logger, client, time.GetElapsedTime(_lostAt).TotalSeconds);
    }
}
