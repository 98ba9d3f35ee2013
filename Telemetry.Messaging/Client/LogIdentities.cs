using Google.Protobuf;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary><see cref="LogIdentity"/> to and from the contract's form.</summary>
internal static class LogIdentities
{
    public static LogIdentity Of(LogId? log) =>
        log is { TopicId.Length: 16 }
            ? new LogIdentity(new Guid(log.TopicId.Span, bigEndian: true), log.LogEpoch)
            : throw new QueueException(ErrorCode.InvalidRequest, "the queue's answer does not name the partition's log");

    public static LogId ToLogId(LogIdentity log) => new()
    {
        TopicId = UnsafeByteOperations.UnsafeWrap(log.TopicId.ToByteArray(bigEndian: true)),
        LogEpoch = log.LogEpoch,
    };
}
