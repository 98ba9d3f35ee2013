using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Messaging.V1;

namespace Telemetry.Messaging.Client;

/// <summary>A member of a group. It heartbeats, reconnects with back-off and jitter, and joins again when it was fenced.</summary>
/// <remarks>
/// The session's clock runs here too: it counts from when the last answered heartbeat was *sent*, so that it never ends later
/// than the coordinator's, which counts from when it came. What is owned when it ends is lost before it can be another's.
/// </remarks>
public sealed class GroupMember : IAsyncDisposable
{
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(2);

    private readonly QueueConnection _connection;
    private readonly GroupMemberOptions _options;
    private readonly ILogger _logger;
    private readonly LinkLog _link;
    private readonly Backoff _backoff = new();
    private readonly Channel<AssignmentChange> _changes = Channel.CreateUnbounded<AssignmentChange>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly MemberShards _shards = new();
    private readonly ITimer _sessionEnd;
    private readonly Task _running;
    private MemberStream? _stream; // while joined
    private string _memberId = "";
    private TimeSpan _sessionTimeout;
    private long _confirmedAt;
    private volatile bool _leaving;

    /// <summary>Begins to join; the changes tell how it went.</summary>
    public GroupMember(QueueConnection connection, GroupMemberOptions options)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.Group);
        ArgumentException.ThrowIfNullOrEmpty(options.Topic);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Shards);
        _connection = connection;
        _options = options;
        _logger = options.Logger ?? NullLogger.Instance;
        _link = new LinkLog(_logger, Name, options.Time);
        _sessionTimeout = options.SessionTimeout;
        _sessionEnd = options.Time.CreateTimer(_ => EndSession(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _running = Task.Run(RunAsync);
    }

    private string Name => $"member of {_options.Group}";

    /// <summary>The changes in their order, until the member is disposed. One reader.</summary>
    /// <exception cref="QueueException">The queue refuses the membership for good (other shards than the group has, say).</exception>
    public IAsyncEnumerable<AssignmentChange> ChangesAsync(CancellationToken cancellationToken) => _changes.Reader.ReadAllAsync(cancellationToken);

    /// <summary>
    /// Gives revoked shards back. When the queue cannot be reached, it does not get to know: when the member is back within
    /// its session, the shards are assigned and revoked once more.
    /// </summary>
    public async Task ReleaseAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken)
    {
        MemberStream? stream;
        lock (_gate)
        {
            _shards.Remove(shards);
            stream = _stream;
        }
        if (stream is not null)
            await stream.WriteAsync(new MemberMessage { Revoked = new Revoked { Shards = { shards } } }).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Says that nothing is left to send of these shards of an input. <see cref="AssignmentChange.AllFinished"/> comes once that
    /// holds for every shard of the group. It holds for the assignment: when the queue cannot be reached, it does not get to
    /// know, and shards that the member has when it is back are assigned anew.
    /// </summary>
    public async Task FinishAsync(IReadOnlyList<int> shards, CancellationToken cancellationToken)
    {
        MemberStream? stream;
        List<int> owned;
        lock (_gate)
        {
            stream = _stream;
            (owned, _) = _shards.Divide(shards);
        }
        if (stream is not null)
            await stream.WriteAsync(new MemberMessage { Finished = new Finished { Shards = { owned } } }).WaitAsync(cancellationToken);
    }

    /// <summary>Commits offsets. Advisory: the caller's own store has the truth.</summary>
    /// <returns>The shards that were refused because the member does not own them at that generation; normally none.</returns>
    /// <exception cref="QueueException">The queue refuses, or cannot be reached now (<see cref="ErrorCode.ShuttingDown"/>); it is not tried again.</exception>
    public async Task<IReadOnlyList<int>> CommitAsync(IReadOnlyList<(int Shard, long Offset, long Generation)> offsets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        var request = new CommitRequest { Group = _options.Group, MemberId = _memberId };
        foreach (var (shard, offset, generation) in offsets)
            request.Offsets.Add(new OffsetCommit { Shard = shard, Offset = offset, Generation = generation });
        CommitResponse response;
        try
        {
            response = await _connection.Queue.CommitAsync(request, deadline: DateTime.UtcNow + QueueConnection.CallTimeout, cancellationToken: cancellationToken);
        }
        catch (RpcException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (QueueErrors.Code(error) is { } code && IsOfAnother(code))
                return Refused(offsets, [.. offsets.Select(offset => offset.Shard)]);
            throw QueueErrors.IsRetriable(error)
                ? new QueueException(ErrorCode.ShuttingDown, $"the commit did not reach the queue: {QueueErrors.Reason(error)}", error)
                : QueueErrors.Refusal(error);
        }
        var refused = response.Results.Where(result => IsOfAnother(result.Error)).Select(result => result.Shard).ToList();
        if (refused.Count > 0)
            Refused(offsets, refused);
        // What else is refused is still the member's own.
        return response.Results.FirstOrDefault(result => result.Error != ErrorCode.Ok && !IsOfAnother(result.Error)) is { } failed
            ? throw new QueueException(failed.Error, failed.Message)
            : refused;
    }

    /// <summary>Leaves the group (if it can be reached) and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        MemberStream? stream;
        lock (_gate)
        {
            if (_leaving)
                return;
            _leaving = true;
            stream = _stream;
        }
        if (stream is not null)
        {
            // The coordinator ends the stream when it has noted the leave; a queue that is gone cannot hold up the end.
            await LeaveAsync(stream).WaitAsync(LeaveTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await _stop.CancelAsync();
        await _running;
        await _sessionEnd.DisposeAsync();
        _stop.Dispose();
    }

    private async Task LeaveAsync(MemberStream stream)
    {
        await stream.WriteAsync(new MemberMessage { Leave = new LeaveGroup() });
        await stream.CompleteAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_leaving)
            {
                try
                {
                    Lost(await RunStreamAsync());
                }
                catch (RpcException error) when (!_stop.IsCancellationRequested && IsWorthAnother(error))
                {
                    Lost(QueueErrors.Reason(error));
                }
                if (!_leaving)
                    await Task.Delay(_backoff.Next(), _options.Time, _stop.Token);
            }
            _changes.Writer.TryComplete();
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            _changes.Writer.TryComplete(); // the end was asked for; what the closing stream threw is its consequence
        }
        catch (Exception error)
        {
            var reason = error is RpcException status ? QueueErrors.Refusal(status) : error;
            MessagingLog.MembershipEnded(_logger, Name, reason.Message);
            lock (_gate)
                LoseAll(reason.Message);
            _changes.Writer.TryComplete(reason);
        }
    }

    private void Lost(string reason)
    {
        // The coordinator ends the stream of a member that leaves: nothing was lost.
        if (!_leaving)
            _link.Lost(reason);
    }

    /// <summary>Joins and follows the coordinator until the stream ends.</summary>
    /// <returns>Why it ended.</returns>
    private async Task<string> RunStreamAsync()
    {
        using var stream = new MemberStream(_connection, _options.Time, _stop.Token);
        var heartbeats = Task.CompletedTask;
        var isFirst = true; // the first assignment after a join has all that the member owns
        try
        {
            await stream.JoinAsync(new JoinGroup
            {
                Group = _options.Group,
                Topic = _options.Topic,
                Shards = _options.Shards,
                MemberId = _memberId,
                SessionTimeoutMs = (int)_options.SessionTimeout.TotalMilliseconds,
                RebalanceTimeoutMs = (int)_options.RebalanceTimeout.TotalMilliseconds,
                Client = _options.Client,
            });
            while (await stream.ReadAsync() is { } message)
            {
                switch (message.KindCase)
                {
                    case CoordinatorMessage.KindOneofCase.Joined:
                        Joined(stream, message.Joined);
                        heartbeats = HeartbeatAsync(stream);
                        break;
                    case CoordinatorMessage.KindOneofCase.Heartbeat:
                        _backoff.Reset();
                        if (await stream.AnsweredAsync() is { } sentAt)
                            Confirm(sentAt);
                        break;
                    case CoordinatorMessage.KindOneofCase.Assign:
                        Assigned(message.Assign, isAll: isFirst);
                        isFirst = false;
                        break;
                    case CoordinatorMessage.KindOneofCase.Revoke:
                        await RevokeAsync(stream, message.Revoke);
                        break;
                    case CoordinatorMessage.KindOneofCase.AllFinished:
                        _changes.Writer.TryWrite(new AssignmentChange.AllFinished());
                        break;
                    case CoordinatorMessage.KindOneofCase.Fenced:
                        return Fenced(message.Fenced);
                }
            }
            return "the queue ended the stream";
        }
        finally
        {
            lock (_gate)
                _stream = null;
            await stream.CancelAsync();
            await heartbeats;
        }
    }

    private void Joined(MemberStream stream, Joined joined)
    {
        stream.Joined();
        _link.Back();
        lock (_gate)
        {
            if (joined.MemberId != _memberId)
                LoseAll("the coordinator knows this member no more and made a new one");
            _memberId = joined.MemberId;
            if (joined.SessionTimeoutMs > 0)
                _sessionTimeout = TimeSpan.FromMilliseconds(joined.SessionTimeoutMs);
            _stream = stream;
        }
        Confirm(stream.JoinSentAt);
    }

    private async Task HeartbeatAsync(MemberStream stream)
    {
        using var timer = new PeriodicTimer(_sessionTimeout / 3, _options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stream.Ended))
                await stream.HeartbeatAsync();
        }
        catch (OperationCanceledException)
        {
            // The stream is over.
        }
    }

    private void Assigned(Assign message, bool isAll)
    {
        lock (_gate)
        {
            var (lost, assigned) = _shards.Assign(message, isAll);
            if (lost.Count > 0)
                Tell(lost, "the coordinator assigned anew after the member joined again");
            if (assigned.Count > 0)
                _changes.Writer.TryWrite(new AssignmentChange.Assigned(assigned));
        }
    }

    private async Task RevokeAsync(MemberStream stream, Revoke message)
    {
        List<int> foreign;
        lock (_gate)
        {
            (var owned, foreign) = _shards.Divide(message.Shards);
            if (owned.Count > 0)
                _changes.Writer.TryWrite(new AssignmentChange.Revoked(owned, TimeSpan.FromMilliseconds(message.DeadlineMs)));
        }
        if (foreign.Count > 0)
            await stream.WriteAsync(new MemberMessage { Revoked = new Revoked { Shards = { foreign } } });
    }

    private string Fenced(Fenced message)
    {
        if (message.Error == ErrorCode.InvalidRequest)
            throw new QueueException(message.Error, message.Message);
        lock (_gate)
            LoseAll(message.Message);
        return message.Message;
    }

    /// <summary>The coordinator has heard the member at or after this time, so the session lasts as long from then.</summary>
    private void Confirm(long at)
    {
        lock (_gate)
        {
            _confirmedAt = Math.Max(_confirmedAt, at);
            _sessionEnd.Change(Remaining(), Timeout.InfiniteTimeSpan);
        }
    }

    private TimeSpan Remaining()
    {
        var remaining = _sessionTimeout - _options.Time.GetElapsedTime(_confirmedAt);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    private void EndSession()
    {
        lock (_gate)
        {
            if (Remaining() is var remaining && remaining > TimeSpan.Zero)
            {
                _sessionEnd.Change(remaining, Timeout.InfiniteTimeSpan);
                return;
            }
            LoseAll($"the queue did not answer for {_sessionTimeout.TotalSeconds:0.###} s");
            _ = _stream?.CancelAsync(); // half-open: a new stream finds out
        }
    }

    private static bool IsOfAnother(ErrorCode error) => error is ErrorCode.UnknownMember or ErrorCode.UnknownGroup or ErrorCode.MemberFenced;

    /// <summary>A refused commit of what the member believes to own tells that it does not own it any more.</summary>
    private IReadOnlyList<int> Refused(IReadOnlyList<(int Shard, long Offset, long Generation)> offsets, IReadOnlyList<int> refused)
    {
        lock (_gate)
        {
            var lost = offsets.Where(offset => refused.Contains(offset.Shard) && _shards.Owns(offset.Shard, offset.Generation))
                .Select(offset => offset.Shard).Distinct().ToList();
            if (lost.Count > 0)
            {
                _shards.Remove(lost);
                Tell(lost, "the coordinator refused a commit: another member owns them");
            }
        }
        return refused;
    }

    private void LoseAll(string reason)
    {
        var shards = _shards.All;
        if (shards.Count == 0)
            return;
        _shards.Remove(shards);
        Tell(shards, reason);
    }

    private void Tell(IReadOnlyList<int> lost, string reason)
    {
        MessagingLog.ShardsLost(_logger, Name, string.Join(',', lost), reason);
        _changes.Writer.TryWrite(new AssignmentChange.Lost(lost, reason));
    }

    /// <summary>A fenced or forgotten member, and a topic or group that is gone, begin anew; only a request that makes no sense does not.</summary>
    private static bool IsWorthAnother(RpcException error) =>
        QueueErrors.Code(error) is { } code ? code is not ErrorCode.InvalidRequest : QueueErrors.IsRetriable(error);
}
