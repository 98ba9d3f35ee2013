namespace Telemetry.Broker.Log;

/// <summary>A record batch in a partition's log, with everything that has to be stored with it.</summary>
internal sealed class StoredBatch
{
    /// <summary>The offset of its first record.</summary>
    public required long BaseOffset { get; init; }

    /// <summary>Its records.</summary>
    public required int RecordCount { get; init; }

    /// <summary>Wall time of the append, in milliseconds since 1970-01-01 UTC: for people and for fetching from a time.</summary>
    public required long AppendTimeUnixMs { get; init; }

    /// <summary>Log time of the append (<see cref="BrokerClock.LogMs"/>), never less than that of the batch before: for age.</summary>
    public required long AppendLogMs { get; init; }

    /// <summary>The batch as it came; never copied, never looked into.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Who published it; empty where the publish was not idempotent.</summary>
    public string ProducerId { get; init; } = "";

    /// <summary>The producer's epoch.</summary>
    public int ProducerEpoch { get; init; }

    /// <summary>The sequence of the first record.</summary>
    public long BaseSequence { get; init; }

    /// <summary>Where the producer stands in its source after this batch; empty for no statement.</summary>
    public ReadOnlyMemory<byte> SourcePosition { get; init; }

    /// <summary>The offset after its last record.</summary>
    public long EndOffset => BaseOffset + RecordCount;

    /// <summary>What it costs in memory, in bytes.</summary>
    public long Bytes => Payload.Length + SourcePosition.Length + OverheadBytes;

    /// <summary>The objects and index entry around a batch, in bytes, rounded up.</summary>
    public const int OverheadBytes = 256;
}
