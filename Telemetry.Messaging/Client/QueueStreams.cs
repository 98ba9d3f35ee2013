using Grpc.Core;

namespace Telemetry.Messaging.Client;

/// <summary>What all streams to the queue do the same way.</summary>
internal static class QueueStreams
{
    /// <summary>
    /// Writes to a stream; false when the stream is over. Why it is over only its reader learns: a write says no more than
    /// that the call is complete.
    /// </summary>
    public static async Task<bool> TryWriteAsync<T>(IClientStreamWriter<T> writer, T message, CancellationToken cancellationToken)
    {
        try
        {
            await writer.WriteAsync(message, cancellationToken);
            return true;
        }
        catch (Exception error) when (error is RpcException or IOException or HttpRequestException or InvalidOperationException or OperationCanceledException)
        {
            return false;
        }
    }
}
