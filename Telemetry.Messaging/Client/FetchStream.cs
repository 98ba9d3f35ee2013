using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>One stream of a fetch, with its credit.</summary>
internal sealed class FetchStream : IAsyncDisposable
{
    private readonly AsyncDuplexStreamingCall<FetchRequest, FetchResponse> _call;
    private readonly FetchStart _start;
    private readonly CancellationToken _cancellationToken;
    private long _owed;
    private bool _started;

    public FetchStream(QueueConnection connection, FetchStart start, CancellationToken cancellationToken)
    {
        _start = start;
        _cancellationToken = cancellationToken;
        _call = connection.Queue.Fetch(cancellationToken: cancellationToken);
    }

    /// <summary>The next response; null when the queue ended the stream.</summary>
    /// <exception cref="RpcException">The stream broke, or the queue refused.</exception>
    public async Task<FetchResponse?> ReadAsync()
    {
        if (!_started)
        {
            // When the write fails, the read says why.
            await QueueStreams.TryWriteAsync(_call.RequestStream, new FetchRequest { Start = _start }, _cancellationToken);
            _started = true;
        }
        return await _call.ResponseStream.MoveNext(_cancellationToken) ? _call.ResponseStream.Current : null;
    }

    /// <summary>
    /// Gives back the credit of a batch that was taken. Small amounts are saved up, as each is a frame of its own; the rest
    /// of the credit keeps the queue sending meanwhile.
    /// </summary>
    public async ValueTask GiveBackAsync(int bytes)
    {
        _owed += bytes;
        if (_owed < _start.CreditBytes / 4)
            return;
        // When the write fails, the next read says why.
        await QueueStreams.TryWriteAsync(_call.RequestStream, new FetchRequest { CreditBytes = _owed }, _cancellationToken);
        _owed = 0;
    }

    public ValueTask DisposeAsync()
    {
        _call.Dispose();
        return ValueTask.CompletedTask;
    }
}
