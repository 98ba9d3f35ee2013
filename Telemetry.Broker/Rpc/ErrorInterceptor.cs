using Grpc.Core;
using Grpc.Core.Interceptors;
using Telemetry.Messaging.V1;

namespace Telemetry.Broker.Rpc;

/// <summary>Turns exceptions into gRPC statuses: what the broker refuses by the error table, the rest into a plain INTERNAL that is logged.</summary>
internal sealed class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception error) when (Translate(error, context) is { } translated)
        {
            throw translated;
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception error) when (Translate(error, context) is { } translated)
        {
            throw translated;
        }
    }

    private RpcException? Translate(Exception error, ServerCallContext context)
    {
        if (error is RpcException rpc)
        {
            // gRPC's own refusal of a message in a stream; without our code a client would take it for a full partition and retry.
            return rpc.StatusCode == StatusCode.ResourceExhausted && rpc.Trailers.Count == 0
                ? BrokerErrors.ToRpc(ErrorCode.BatchTooLarge, $"a message has more than {BrokerApp.MessageBytesMax} bytes; a batch may have {BrokerLimits.BatchBytesMax}: split it")
                : null;
        }
        if (error is BrokerException refused)
            return BrokerErrors.ToRpc(refused.Code, refused.Message);
        // The client is gone: its stream was cancelled or reset under a read or a write.
        if (context.CancellationToken.IsCancellationRequested)
            return new RpcException(new Status(StatusCode.Cancelled, "the call was cancelled"));
        logger.RequestFailed(context.Method, error);
        return new RpcException(new Status(StatusCode.Internal, "the broker failed; its log says why"));
    }
}
