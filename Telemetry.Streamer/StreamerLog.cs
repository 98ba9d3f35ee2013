
namespace Telemetry.Streamer;

/// <summary>The streamer's log events: 2000 to 2999.</summary>
internal static partial class StreamerLog
{
    // Life

    [LoggerMessage(2000, LogLevel.Information, "streaming {Files} file(s), {Bytes} bytes from {Input} to topic {Topic} at {Queue} as input {InputId} in {Shards} shards; interval {Interval}, batch {BatchSize}, loop {Loop}, follow {Follow}, timestamps {TimestampMode}")]
    public static partial void Streaming(ILogger logger, int files, long bytes, string input, string topic, string queue, string inputId, int shards, string interval, int batchSize, bool loop, bool follow, string timestampMode);

    [LoggerMessage(2001, LogLevel.Information, "done: {Rows} rows read, {Records} records sent, {BadRows} bad rows, {BadValues} bad values in {Seconds:0.0} s, {RowsPerSecond:0} rows/s")]
    public static partial void Done(ILogger logger, long rows, long records, long badRows, long badValues, double seconds, double rowsPerSecond);

    [LoggerMessage(2002, LogLevel.Information, "done: everything in {Input} was sent before; nothing is left to send")]
    public static partial void NothingLeft(ILogger logger, string input);

    [LoggerMessage(2003, LogLevel.Information, "stopped after {Rows} rows and {Records} acknowledged records in {Seconds:0.0} s")]
    public static partial void Stopped(ILogger logger, long rows, long records, double seconds);

    [LoggerMessage(2004, LogLevel.Critical, "streaming failed: {Reason}")]
    public static partial void Failed(ILogger logger, string reason, Exception? error);

    [LoggerMessage(2005, LogLevel.Information, "waiting for the first row of {Input}")]
    public static partial void WaitingForRows(ILogger logger, string input);

    [LoggerMessage(2006, LogLevel.Information, "shards {Shards} are sent; waiting until the other streamers have sent the rest")]
    public static partial void PartSent(ILogger logger, string shards);

    // Queue

    [LoggerMessage(2010, LogLevel.Warning, "the queue at {Queue} cannot be reached, trying again: {Reason}")]
    public static partial void QueueUnreachable(ILogger logger, string queue, string reason);

    [LoggerMessage(2011, LogLevel.Information, "assigned shards {Shards}")]
    public static partial void Assigned(ILogger logger, string shards);

    [LoggerMessage(2012, LogLevel.Information, "gave back shards {Shards}")]
    public static partial void Released(ILogger logger, string shards);

    [LoggerMessage(2013, LogLevel.Warning, "lost shards {Shards}: {Reason}")]
    public static partial void Lost(ILogger logger, string shards, string reason);

    [LoggerMessage(2014, LogLevel.Warning, "publishing shard {Shard} failed, opening it again in {Seconds} s: {Reason}")]
    public static partial void ShardFailed(ILogger logger, int shard, double seconds, string reason);

    [LoggerMessage(2015, LogLevel.Warning, "shard {Shard}: the queue does not know it any more; going on after the last acknowledged record")]
    public static partial void QueueForgotShard(ILogger logger, int shard);

    [LoggerMessage(2016, LogLevel.Debug, "shard {Shard} goes on in {File} at byte {Offset}, line {Line}, after {Records} records")]
    public static partial void ShardOpened(ILogger logger, int shard, string file, long offset, long line, long records);

    [LoggerMessage(2017, LogLevel.Information, "no shards to stream: other streamers have all {Shards}, or the group is paused")]
    public static partial void Idle(ILogger logger, int shards);

    [LoggerMessage(2018, LogLevel.Warning, "{Batches} batches were not acknowledged within {Seconds} s; whoever streams this input next sends them")]
    public static partial void NotAcknowledged(ILogger logger, int batches, double seconds);

    [LoggerMessage(2019, LogLevel.Warning, "shards {Shards} could not be given back; the queue takes them when this session times out")]
    public static partial void NotReleased(ILogger logger, string shards);

    // Input

    [LoggerMessage(2020, LogLevel.Warning, "{File} line {Line}: row skipped: {Reason}")]
    public static partial void BadRow(ILogger logger, string file, long line, string reason);

    [LoggerMessage(2021, LogLevel.Warning, "{File} line {Line}: {Metric} left out: {Reason}")]
    public static partial void BadValue(ILogger logger, string file, long line, string reason, string metric);

    [LoggerMessage(2022, LogLevel.Warning, "{Count} more bad rows and values: {Reasons}")]
    public static partial void MoreBadRows(ILogger logger, long count, string reasons);

    [LoggerMessage(2023, LogLevel.Warning, "{File} is shorter than the position {Offset} of shard {Shard}: it was replaced or cut; the shard begins at the file's first row")]
    public static partial void FileShorter(ILogger logger, string file, long offset, int shard);

    [LoggerMessage(2024, LogLevel.Warning, "{File} was cut while it was followed; reading begins at its first row")]
    public static partial void FileCut(ILogger logger, string file);

    [LoggerMessage(2025, LogLevel.Information, "the input {Input} was replaced; streaming the new one")]
    public static partial void InputReplaced(ILogger logger, string input);

    [LoggerMessage(2026, LogLevel.Warning, "the position of shard {Shard} is not of this input; the shard begins at the first row")]
    public static partial void UnknownPosition(ILogger logger, int shard);

    [LoggerMessage(2027, LogLevel.Warning, "{File}: columns left out, because another column has the same metric: {Columns}")]
    public static partial void DuplicateColumns(ILogger logger, string file, string columns);

    [LoggerMessage(2028, LogLevel.Warning, "the input cannot be read again, waiting: {Reason}")]
    public static partial void InputUnavailable(ILogger logger, string reason);
}
