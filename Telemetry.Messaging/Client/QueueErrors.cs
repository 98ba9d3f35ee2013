using System.Globalization;
using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>What gRPC statuses of the queue mean (queue.proto: trailers "queue-error" and "grpc-retry-pushback-ms").</summary>
internal static class QueueErrors
{
    private const string CodeTrailer = "queue-error";
    private const string RetryTrailer = "grpc-retry-pushback-ms";

    // The trailer has the name of the contract (PARTITION_FULL).
    private static readonly Dictionary<string, ErrorCode> Codes = ErrorCodeNames();

    /// <summary>The queue's own code; null when the status is the transport's.</summary>
    public static ErrorCode? Code(RpcException error) =>
        error.Trailers.GetValue(CodeTrailer) is { } name && Codes.TryGetValue(Key(name), out var code) ? code : null;

    /// <summary>The same request may succeed later.</summary>
    public static bool IsRetriable(ErrorCode code) => code is ErrorCode.PartitionFull or ErrorCode.DiskFull or ErrorCode.StorageFailed or ErrorCode.ShuttingDown;

    /// <summary>The same request may succeed later: the queue says so, or it could not be reached.</summary>
    public static bool IsRetriable(RpcException error) => Code(error) is { } code
        ? IsRetriable(code)
        : error.StatusCode is not (StatusCode.Unimplemented or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.InvalidArgument
            or StatusCode.NotFound or StatusCode.AlreadyExists or StatusCode.FailedPrecondition or StatusCode.OutOfRange);

    /// <summary>How long the queue asks to wait; null for no statement.</summary>
    public static TimeSpan? RetryDelay(RpcException error) =>
        int.TryParse(error.Trailers.GetValue(RetryTrailer), NumberStyles.None, CultureInfo.InvariantCulture, out var ms) ? TimeSpan.FromMilliseconds(ms) : null;

    /// <summary>One line for people.</summary>
    public static string Reason(RpcException error) => error.Status.DebugException switch
    {
        // The innermost message is the system's ("Connection refused"); the outer ones are gRPC's and HTTP's.
        { } cause when error.StatusCode == StatusCode.Unavailable => cause.GetBaseException().Message,
        _ when error.Status.Detail.Length > 0 => error.Status.Detail,
        _ => error.StatusCode.ToString(),
    };

    /// <summary>A status that is for good, as the clients' exception.</summary>
    public static QueueException Refusal(RpcException error) => new(
        Code(error) ?? ErrorCode.InvalidRequest,
        Code(error) is null ? $"the queue refused with {error.StatusCode}: {error.Status.Detail}" : error.Status.Detail,
        error);

    private static Dictionary<string, ErrorCode> ErrorCodeNames() =>
        Enum.GetValues<ErrorCode>().ToDictionary(code => Key(code.ToString()), StringComparer.OrdinalIgnoreCase);

    private static string Key(string name) => name.Replace("_", "", StringComparison.Ordinal);
}
