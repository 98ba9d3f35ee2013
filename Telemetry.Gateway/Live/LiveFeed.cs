using Telemetry.Gateway.Fleet;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>
/// Follows the store for all listeners of this process, and only while there are any: it asks for the rows that were written
/// since, once for all of them. Numbers of rows rise with the commits, so that nothing is missed and nothing comes twice.
/// </summary>
internal sealed class LiveFeed(TelemetryReader store, TimeProvider time, GatewayOptions options, FleetRules rules, ILogger<LiveFeed> logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Joining> _joining = [];
    private readonly List<LiveSubscription> _leaving = [];
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _following = Task.CompletedTask;
    private bool _isFollowing;
    private bool _isUnreadable;

    private sealed record Joining(LiveFilter Filter, TaskCompletionSource<LiveSubscription> Joined);

    /// <summary>Begins to listen: every record that is committed from now on comes as an event.</summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public async Task<LiveSubscription> JoinAsync(LiveFilter filter, CancellationToken cancellationToken)
    {
        var joining = new Joining(filter, new TaskCompletionSource<LiveSubscription>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            _joining.Add(joining);
            _wake.TrySetResult();
            if (!_isFollowing)
            {
                _isFollowing = true;
                _following = Task.Run(FollowAsync, CancellationToken.None);
            }
        }
        try
        {
            return await joining.Joined.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It may join yet; then it leaves at once. That it cannot is nobody's business any more.
            _ = joining.Joined.Task.ContinueWith(joined =>
            {
                if (joined.Exception is null && !joined.IsCanceled)
                    Leave(joined.Result);
            }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Ends listening.</summary>
    public void Leave(LiveSubscription subscription)
    {
        lock (_lock)
        {
            _leaving.Add(subscription);
            _wake.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _stop.Dispose();
    }

    private async Task FollowAsync()
    {
        var groups = new Dictionary<LiveFilter, LiveGroup>();
        var joining = new List<Joining>();
        try
        {
            StorePosition? position = null;
            using var timer = new PeriodicTimer(options.LiveInterval, time);
            var tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
            while (true)
            {
                Task wake;
                lock (_lock)
                {
                    RemoveLeaving(groups);
                    if (groups.Count == 0 && _joining.Count == 0)
                    {
                        _isFollowing = false;
                        return;
                    }
                    joining = [.. _joining];
                    _joining.Clear();
                    _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    wake = _wake.Task;
                }
                position = await ReadToEndAsync(groups, joining, position);
                await Task.WhenAny(tick, wake);
                if (tick.IsCompleted)
                {
                    await tick;
                    tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            EndAll(groups, joining, null);
        }
        // The end of the feed's own task: it is logged, and every listener hears of it.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            GatewayLog.FeedFailed(logger, error);
            EndAll(groups, joining, error);
        }
    }

    /// <summary>Hands on what was written since, then lets those join who wait.</summary>
    /// <returns>Where the feed stands; null where that is not known yet.</returns>
    private async Task<StorePosition?> ReadToEndAsync(Dictionary<LiveFilter, LiveGroup> groups, List<Joining> joining, StorePosition? position)
    {
        try
        {
            for (var hasMore = true; hasMore;)
            {
                var written = await store.WrittenAsync(position, options.LiveRecordsMax, _stop.Token)
                    ?? new WrittenRows([], StorePosition.Start, false, position is null or { Row: 0 });
                if (written.Rows.Count > 0)
                {
                    foreach (var group in groups.Values)
                        group.Add(written);
                }
                if (!written.Continues)
                {
                    // Another store: whoever connects again is told that there is a gap.
                    foreach (var listener in groups.Values.SelectMany(g => g.Listeners))
                        listener.End(null);
                    groups.Clear();
                }
                (position, hasMore) = (written.Next, written.HasMore);
            }
            _isUnreadable = false;
        }
        catch (StoreException error) when (error.IsTransient)
        {
            if (!_isUnreadable)
                GatewayLog.FeedWaits(logger, error);
            _isUnreadable = true;
            foreach (var one in joining)
                one.Joined.TrySetException(error);
            return position;
        }
        foreach (var group in groups.Values)
            group.Tick(position!.Value);
        foreach (var one in joining)
        {
            if (!groups.TryGetValue(one.Filter, out var group))
                groups.Add(one.Filter, group = new LiveGroup(one.Filter, rules, time));
            var subscription = new LiveSubscription(one.Filter, position!.Value, options.ListenerRecordsMax, options.ListenerBytesMax);
            group.Listeners.Add(subscription);
            one.Joined.SetResult(subscription);
        }
        return position;
    }

    private void RemoveLeaving(Dictionary<LiveFilter, LiveGroup> groups)
    {
        foreach (var subscription in _leaving)
        {
            if (groups.TryGetValue(subscription.Filter, out var group) && group.Listeners.Remove(subscription) && group.Listeners.Count == 0)
                groups.Remove(subscription.Filter);
        }
        _leaving.Clear();
    }

    private void EndAll(Dictionary<LiveFilter, LiveGroup> groups, List<Joining> joining, Exception? error)
    {
        lock (_lock)
        {
            _isFollowing = false;
            foreach (var one in joining.Concat(_joining))
                one.Joined.TrySetException(error ?? new OperationCanceledException());
            _joining.Clear();
            _leaving.Clear();
        }
        foreach (var listener in groups.Values.SelectMany(g => g.Listeners))
            listener.End(error);
    }
}
