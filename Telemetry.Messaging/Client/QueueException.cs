using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>The queue refused something for good, or until its caller changes something.</summary>
public sealed class QueueException(ErrorCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The reason, for programs.</summary>
    public ErrorCode Code { get; } = code;
}
