using Grpc.Net.Client;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>A connection to the queue, shared by producers, consumers and admin calls. It connects when it is first used and reconnects by itself.</summary>
public sealed class QueueConnection : IAsyncDisposable
{
    // A message is a batch with a source position and a few numbers; a peek has several batches.
    internal const int SendBytesMax = RecordBatchLimits.BytesMax + (256 * 1024);
    internal const int ReceiveBytesMax = 64 * 1024 * 1024;

    /// <summary>After this a call that should be answered at once is given up, so that a half-open connection is noticed.</summary>
    internal static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly GrpcChannel _channel;

    /// <summary>Makes a connection; nothing is sent yet.</summary>
    /// <param name="address"><c>host:port</c> or a URL (<c>http://</c> for plaintext HTTP/2).</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public QueueConnection(string address)
    {
        Address = QueueAddress.Parse(address);
        // No resilience handlers: they would cut streams and repeat publishes. Every retry here is our own.
        _channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            MaxSendMessageSize = SendBytesMax,
            MaxReceiveMessageSize = ReceiveBytesMax,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = TimeSpan.FromSeconds(5),
                EnableMultipleHttp2Connections = true,
                // Without pings a connection that a firewall dropped looks open for ever (F25).
                KeepAlivePingDelay = TimeSpan.FromSeconds(5),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            },
        });
        Admin = new QueueAdmin.QueueAdminClient(_channel);
        Queue = new Queue.QueueClient(_channel);
    }

    /// <summary>The queue as a URL.</summary>
    public Uri Address { get; }

    /// <summary>The generated client for admin calls.</summary>
    public QueueAdmin.QueueAdminClient Admin { get; }

    internal Queue.QueueClient Queue { get; }

    /// <summary>Waits until the queue answers; calls <paramref name="onRetry"/> with the reason before each wait (back-off with jitter, at most 5 s).</summary>
    /// <exception cref="QueueException">Something answers that is not the queue, or that refuses for good.</exception>
    public async Task WaitUntilReachableAsync(Action<string>? onRetry, CancellationToken cancellationToken)
    {
        var pipeline = QueueRetry.ForEver(TimeProvider.System, (error, _) => onRetry?.Invoke(QueueErrors.Reason(error)));
        await QueueRetry.CallAsync(
            pipeline,
            token => Admin.ListTopicsAsync(new ListTopicsRequest(), deadline: DateTime.UtcNow + CallTimeout, cancellationToken: token).ResponseAsync,
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }
}
