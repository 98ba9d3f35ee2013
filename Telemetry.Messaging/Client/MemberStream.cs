using Grpc.Core;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>One stream of a membership: writes one after another, and when the heartbeats were sent.</summary>
internal sealed class MemberStream : IDisposable
{
    private readonly AsyncDuplexStreamingCall<MemberMessage, CoordinatorMessage> _call;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending;
    private readonly TimeProvider _time;
    private long? _heartbeatSentAt; // and not answered
    private bool _heartbeatIsDue;

    public MemberStream(QueueConnection connection, TimeProvider time, CancellationToken stop)
    {
        _time = time;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _call = connection.Queue.Join(cancellationToken: _ending.Token);
    }

    /// <summary>When the message that begins the session was sent: the coordinator cannot have counted from before.</summary>
    public long JoinSentAt { get; private set; }

    public CancellationToken Ended => _ending.Token;

    public async Task JoinAsync(JoinGroup join)
    {
        JoinSentAt = _time.GetTimestamp();
        _ending.CancelAfter(QueueConnection.CallTimeout);
        await WriteAsync(new MemberMessage { Join = join });
    }

    /// <summary>The coordinator has answered to the join.</summary>
    public void Joined() => _ending.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Sends a heartbeat, unless one is not answered yet: then the next follows its answer. With one under way it is certain
    /// which one an answer means, so the session's clock can count from when it was sent.
    /// </summary>
    public Task HeartbeatAsync()
    {
        lock (_gate)
        {
            _heartbeatIsDue = _heartbeatSentAt is not null;
            if (_heartbeatIsDue)
                return Task.CompletedTask;
            _heartbeatSentAt = _time.GetTimestamp();
        }
        return WriteAsync(new MemberMessage { Heartbeat = new Heartbeat() });
    }

    /// <summary>Notes an answer; returns when its heartbeat was sent, null when none is awaited.</summary>
    public async Task<long?> AnsweredAsync()
    {
        long? sentAt;
        bool isDue;
        lock (_gate)
        {
            (sentAt, isDue) = (_heartbeatSentAt, _heartbeatIsDue);
            _heartbeatSentAt = null;
        }
        if (isDue)
            await HeartbeatAsync();
        return sentAt;
    }

    /// <summary>Writes a message; when that fails the stream is over, which its reader notices.</summary>
    public async Task WriteAsync(MemberMessage message)
    {
        try
        {
            await _writing.WaitAsync(_ending.Token);
        }
        catch (OperationCanceledException)
        {
            return; // over
        }
        try
        {
            await QueueStreams.TryWriteAsync(_call.RequestStream, message, _ending.Token);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Says that no more messages come; the coordinator then ends the stream.</summary>
    public async Task CompleteAsync()
    {
        try
        {
            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception error) when (error is RpcException or IOException or HttpRequestException or InvalidOperationException or OperationCanceledException)
        {
            // Over already, which is what was wanted.
        }
    }

    /// <summary>The next message; null when the coordinator ended the stream.</summary>
    /// <exception cref="RpcException">The stream broke, or the queue refused.</exception>
    public async Task<CoordinatorMessage?> ReadAsync() =>
        await _call.ResponseStream.MoveNext(_ending.Token) ? _call.ResponseStream.Current : null;

    public Task CancelAsync() => _ending.CancelAsync();

    public void Dispose()
    {
        _call.Dispose();
        _ending.Dispose();
    }
}
