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

/// <summary>How a publish that was taken ends: it is known already, or with the group that it is written in, or when it got room.</summary>
internal readonly struct PublishTicket
{
    private readonly PublishOutcome _outcome;
    private readonly Task<BrokerException?>? _group;
    private readonly Task<PublishTicket>? _room;

    /// <summary>It ended like this.</summary>
    public PublishTicket(in PublishOutcome outcome) => _outcome = outcome;

    /// <summary>It ends like this unless its group is refused.</summary>
    public PublishTicket(in PublishOutcome outcome, Task<BrokerException?> group) => (_outcome, _group) = (outcome, group);

    /// <summary>It waits for room.</summary>
    public PublishTicket(Task<PublishTicket> room) => _room = room;

    /// <summary>Whether <see cref="OutcomeAsync"/> has its result at once.</summary>
    public bool IsCompleted => _room is null ? _group is null || _group.IsCompleted : _room.IsCompleted && (!_room.IsCompletedSuccessfully || _room.Result.IsCompleted);

    /// <summary>How it ended, once it has: what was appended is durable then.</summary>
    /// <exception cref="OperationCanceledException">It gave up waiting for room.</exception>
    public ValueTask<PublishOutcome> OutcomeAsync() => _room is not null
        ? OfRoomAsync(_room)
        : _group is null ? new(_outcome) : _group.IsCompletedSuccessfully ? new(OfGroup(_outcome, _group.Result)) : OfGroupAsync(_outcome, _group);

    private static async ValueTask<PublishOutcome> OfRoomAsync(Task<PublishTicket> room) => await (await room).OutcomeAsync();

    private static async ValueTask<PublishOutcome> OfGroupAsync(PublishOutcome outcome, Task<BrokerException?> group) => OfGroup(outcome, await group);

    private static PublishOutcome OfGroup(in PublishOutcome outcome, BrokerException? refusal) =>
        refusal is null ? outcome : PublishOutcome.Refused(refusal.Code, refusal.Message);
}
