using Google.Protobuf.Reflection;
using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>What an error code means to gRPC and to whoever gets it.</summary>
/// <param name="Status">The gRPC status.</param>
/// <param name="RetryAfter">When the same request may succeed; null: not without a change.</param>
/// <param name="Sentence">What it says to people, where the request gives no better message.</param>
internal sealed record BrokerError(StatusCode Status, TimeSpan? RetryAfter, string Sentence)
{
    /// <summary>Whether the same request may succeed later.</summary>
    public bool Retriable => RetryAfter is not null;
}

/// <summary>The one error table: code for machines, gRPC status, whether and when to retry, sentence for people.</summary>
internal static class BrokerErrors
{
    /// <summary>The trailer that has the code's name as queue.proto writes it.</summary>
    public const string CodeTrailer = "queue-error";

    /// <summary>The trailer that says when to try again, in milliseconds; gRPC's own name for it.</summary>
    public const string RetryTrailer = "grpc-retry-pushback-ms";

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(250), Later = TimeSpan.FromSeconds(1);

    private static readonly Dictionary<ErrorCode, BrokerError> Table = new()
    {
        [ErrorCode.Ok] = new(StatusCode.OK, null, ""),
        [ErrorCode.InvalidRequest] = new(StatusCode.InvalidArgument, null, "the request makes no sense"),
        [ErrorCode.UnknownTopic] = new(StatusCode.NotFound, null, "the topic is not known"),
        [ErrorCode.UnknownPartition] = new(StatusCode.NotFound, null, "the topic has no such partition"),
        [ErrorCode.BatchTooLarge] = new(StatusCode.InvalidArgument, null, "the batch is over the limit: split it"),
        [ErrorCode.PartitionFull] = new(StatusCode.ResourceExhausted, Soon, "the partition is full of records that a group has not read"),
        [ErrorCode.ProducerFenced] = new(StatusCode.FailedPrecondition, null, "a newer epoch of this producer id is open"),
        [ErrorCode.OutOfOrderSequence] = new(StatusCode.FailedPrecondition, null, "the sequence leaves a gap after what the log has, or is partly in it"),
        [ErrorCode.UnknownProducer] = new(StatusCode.FailedPrecondition, null, "the producer is not known in this log: open it"),
        [ErrorCode.OffsetOutOfRange] = new(StatusCode.OutOfRange, null, "the offset is not in the log"),
        [ErrorCode.UnknownGroup] = new(StatusCode.NotFound, null, "the group is not known"),
        [ErrorCode.UnknownMember] = new(StatusCode.NotFound, null, "the group has no such member: join again"),
        [ErrorCode.MemberFenced] = new(StatusCode.FailedPrecondition, null, "the member does not own the shard at this generation"),
        [ErrorCode.GroupActive] = new(StatusCode.FailedPrecondition, null, "the group has members: stop them first"),
        [ErrorCode.TopicExists] = new(StatusCode.AlreadyExists, null, "the topic is there already"),
        [ErrorCode.StorageFailed] = new(StatusCode.Unavailable, Later, "the partition's storage failed; nothing was appended"),
        [ErrorCode.ShuttingDown] = new(StatusCode.Unavailable, Later, "the broker is stopping; reconnect and retry"),
        [ErrorCode.DiskFull] = new(StatusCode.ResourceExhausted, Later, "the broker's disk has no room; nothing was appended"),
    };

    private static readonly EnumDescriptor Descriptor = QueueReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(ErrorCode));

    private static readonly string[] NamesByNumber = [.. Descriptor.Values.OrderBy(value => value.Number).Select(value => value.Name)];

    /// <summary>What a code means.</summary>
    public static BrokerError Of(ErrorCode code) => Table[code];

    /// <summary>A code's name as queue.proto writes it: <c>PARTITION_FULL</c>.</summary>
    public static string Name(ErrorCode code) => NamesByNumber[(int)code];

    /// <summary>Milliseconds after which to try again; 0: trying again does not help.</summary>
    public static int RetryAfterMs(ErrorCode code) => (int)(Of(code).RetryAfter?.TotalMilliseconds ?? 0);

    /// <summary>The error as a gRPC status with its trailers.</summary>
    public static RpcException ToRpc(ErrorCode code, string message)
    {
        var error = Of(code);
        var trailers = new Metadata { { CodeTrailer, Name(code) } };
        if (error.Retriable)
            trailers.Add(RetryTrailer, RetryAfterMs(code).ToString(System.Globalization.CultureInfo.InvariantCulture));
        return new RpcException(new Status(error.Status, message.Length > 0 ? message : error.Sentence), trailers);
    }
}
