using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Log;

/// <summary>A batch to append, already checked for form.</summary>
/// <param name="Payload">The batch; kept, so it must not change.</param>
/// <param name="RecordCount">Its records, above 0.</param>
/// <param name="ProducerId">Who publishes; empty: not idempotent.</param>
/// <param name="ProducerEpoch">The producer's epoch.</param>
/// <param name="BaseSequence">The sequence of the first record.</param>
/// <param name="SourcePosition">Where the producer stands in its source after this batch; empty for no statement.</param>
internal readonly record struct PublishBatch(
    ReadOnlyMemory<byte> Payload,
    int RecordCount,
    string ProducerId = "",
    int ProducerEpoch = 0,
    long BaseSequence = 0,
    ReadOnlyMemory<byte> SourcePosition = default)
{
    /// <summary>What it will cost in memory, in bytes.</summary>
    public long Bytes => Payload.Length + SourcePosition.Length + StoredBatch.OverheadBytes;
}

/// <summary>The answer to a publish.</summary>
/// <param name="Error">OK, or why nothing was appended.</param>
/// <param name="Message">A sentence for people where there is an error.</param>
/// <param name="BaseOffset">The offset of the first record; -1 for a duplicate whose offset is forgotten.</param>
/// <param name="Duplicate">It was in the log already.</param>
internal readonly record struct PublishOutcome(ErrorCode Error, string Message, long BaseOffset, bool Duplicate)
{
    public static PublishOutcome Appended(long baseOffset) => new(ErrorCode.Ok, "", baseOffset, false);

    public static PublishOutcome Known(long baseOffset) => new(ErrorCode.Ok, "", baseOffset, true);

    public static PublishOutcome Refused(ErrorCode error, string message) => new(error, message, -1, false);
}
