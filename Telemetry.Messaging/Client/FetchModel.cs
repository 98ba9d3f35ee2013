using Microsoft.Extensions.Logging;

namespace Telemetry.Messaging.Client;

/// <summary>One incarnation of a partition's log. Offsets of different topics cannot be compared; those of an older epoch hold as far as the log still has what that had.</summary>
/// <param name="TopicId">New each time the topic is made.</param>
/// <param name="LogEpoch">Raised each time the log is opened.</param>
public readonly record struct LogIdentity(Guid TopicId, int LogEpoch);

/// <summary>Where to begin to read.</summary>
public abstract record FetchFrom
{
    /// <summary>At an offset of a log; another log answers with its start and a gap.</summary>
    public sealed record Offset(long Value, LogIdentity? Log) : FetchFrom;

    /// <summary>At the first batch appended at or after a time.</summary>
    public sealed record AppendTime(DateTimeOffset Value) : FetchFrom;

    /// <summary>At the first record that the log still has.</summary>
    public sealed record Earliest : FetchFrom;

    /// <summary>At the records that come from now on.</summary>
    public sealed record Latest : FetchFrom;
}

/// <summary>What a fetch yields.</summary>
public abstract record Fetched
{
    /// <summary>First, and again after each reconnect to another log: where reading begins.</summary>
    public sealed record Started(LogIdentity Log, long Offset, long LogStartOffset) : Fetched;

    /// <summary>A batch. Records before the offset that was asked for are to be skipped by the caller: <paramref name="Skip"/> of them.</summary>
    public sealed record Batch(
        LogIdentity Log, long BaseOffset, int RecordCount, int Skip, DateTimeOffset AppendTime, ReadOnlyMemory<byte> Payload, long HighWatermark) : Fetched
    {
        /// <summary>The offset after the batch.</summary>
        public long NextOffset => BaseOffset + RecordCount;
    }

    /// <summary>Records [<paramref name="FromOffset"/>, <paramref name="ToOffset"/>) can no longer be read.</summary>
    public sealed record Gap(LogIdentity Log, long FromOffset, long ToOffset, string Reason) : Fetched;
}

/// <summary>What a fetch may use besides its place.</summary>
public sealed record FetchOptions
{
    /// <summary>For the broker's metrics; empty outside groups.</summary>
    public string Group { get; init; } = "";

    /// <summary>Bytes of batches that may be under way.</summary>
    public int CreditBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Gets a line when the queue is lost and one when it is back; none by default.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock of waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
