using Telemetry.Messaging.V1;

namespace Telemetry.Broker;

/// <summary>A request that the broker refuses. The message is a sentence for the caller; what the code means to gRPC is in <see cref="Rpc.BrokerErrors"/>.</summary>
internal sealed class BrokerException(ErrorCode code, string message) : Exception(message)
{
    /// <summary>The reason, for programs.</summary>
    public ErrorCode Code { get; } = code;

    /// <summary>The request makes no sense.</summary>
    public static BrokerException Invalid(string message) => new(ErrorCode.InvalidRequest, message);
}
