using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>A connection to the queue, shared by producers, consumers and admin calls. It connects when it is first used and reconnects by itself.</summary>
public sealed class QueueConnection : IAsyncDisposable
{
    /// <summary>Makes a connection; nothing is sent yet.</summary>
    /// <param name="address"><c>host:port</c> or a URL (<c>http://</c> for plaintext HTTP/2).</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public QueueConnection(string address) => throw new NotImplementedException();

    /// <summary>The queue as a URL.</summary>
    public Uri Address => throw new NotImplementedException();

    /// <summary>The generated client for admin calls.</summary>
    public QueueAdmin.QueueAdminClient Admin => throw new NotImplementedException();

    internal Queue.QueueClient Queue => throw new NotImplementedException();

    /// <summary>Waits until the queue answers; calls <paramref name="onRetry"/> with the reason before each wait (back-off with jitter, at most 5 s).</summary>
    public Task WaitUntilReachableAsync(Action<string>? onRetry, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
