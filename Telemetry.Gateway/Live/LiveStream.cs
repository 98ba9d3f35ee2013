using Microsoft.AspNetCore.Http.Features;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>
/// One listener's stream. Where it goes on after an earlier one, it first reads what was written since from the store, at the
/// listener's own pace; then it joins the feed.
/// </summary>
/// <param name="feed">The feed.</param>
/// <param name="sources">The store, the clock and the limits.</param>
/// <param name="filter">What the listener wants.</param>
/// <param name="lastEventId">The id of the last event that it has; empty for none.</param>
internal sealed class LiveStream(LiveFeed feed, GatewaySources sources, LiveFilter filter, string lastEventId)
{
    private readonly NewestRecords _newest = new();
    private readonly TimeProvider _time = sources.Time;
    private long _sentAt;

    /// <summary>Writes events until the listener has gone, is too slow, or the gateway stops.</summary>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.Headers["X-Accel-Buffering"] = "no"; // or nginx would keep events back
        response.HttpContext.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        await SendAsync(response, LiveEvent.Hello, cancellationToken);
        var after = lastEventId.Length == 0 ? (StorePosition?)null : await CatchUpAsync(response, cancellationToken);
        var subscription = await feed.JoinAsync(filter, cancellationToken);
        try
        {
            // The feed may be further by now.
            var position = after ?? subscription.Start;
            while (position.Row < subscription.Start.Row)
            {
                var limit = (int)Math.Min(sources.Options.LiveRecordsMax, subscription.Start.Row - position.Row);
                if (await ReadAsync(response, position, limit, cancellationToken) is not { Continues: true } written)
                    return; // another store: when it connects again, it is told
                position = written.Next;
            }
            if (_newest.Any)
                await SendAsync(response, LiveEvent.OfRecords(_newest.Take(), filter, position, sources.Rules, _time.GetUtcNow()), cancellationToken);
            await SendAsync(response, LiveEvent.Place(position), cancellationToken);
            await ListenAsync(response, subscription, cancellationToken);
        }
        finally
        {
            feed.Leave(subscription);
        }
    }

    /// <summary>Sends what was written after the last event, up to the end of the store, or that it cannot be had.</summary>
    /// <returns>Where the stream stands.</returns>
    private async Task<StorePosition> CatchUpAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        var isId = StorePosition.TryParse(lastEventId, out var position);
        for (var hasMore = isId; hasMore;)
        {
            var written = await ReadAsync(response, position, sources.Options.LiveRecordsMax, cancellationToken);
            if (written is null && position == StorePosition.Start)
                return position; // there is no store yet, as there was none before
            if (written is not { Continues: true })
            {
                isId = false;
                break;
            }
            (position, hasMore) = (written.Next, written.HasMore);
        }
        if (isId)
            return position;
        var end = await sources.Store.WrittenAsync(null, 1, cancellationToken);
        position = end?.Next ?? StorePosition.Start;
        await SendAsync(response, LiveEvent.Gap(position), cancellationToken);
        return position;
    }

    private async Task<WrittenRows?> ReadAsync(HttpResponse response, StorePosition after, int limit, CancellationToken cancellationToken)
    {
        var written = await sources.Store.WrittenAsync(after, limit, cancellationToken);
        if (written is not { Continues: true })
            return written;
        TelemetryRow[] rows = [.. written.Rows.Where(filter.Matches)];
        if (filter.IsConflated)
        {
            foreach (var row in rows)
                _newest.Add(row);
        }
        else if (rows.Length > 0)
        {
            await SendAsync(response, LiveEvent.OfRecords(rows, filter, written.Next, sources.Rules, _time.GetUtcNow()), cancellationToken);
        }
        if (_time.GetElapsedTime(_sentAt) >= sources.Options.HeartbeatInterval)
            await SendAsync(response, LiveEvent.Heartbeat(null, _time.GetUtcNow()), cancellationToken);
        return written;
    }

    private async Task ListenAsync(HttpResponse response, LiveSubscription subscription, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = subscription.Take();
            if (state.Event is { } next)
            {
                await SendAsync(response, next, cancellationToken);
            }
            else if (state.IsEnded)
            {
                if (state.IsDropped)
                    await SendAsync(response, LiveEvent.Dropped, cancellationToken);
                return;
            }
            else if (sources.Options.HeartbeatInterval - _time.GetElapsedTime(_sentAt) is var left && left <= TimeSpan.Zero)
            {
                await SendAsync(response, LiveEvent.Heartbeat(state.Position, _time.GetUtcNow()), cancellationToken);
            }
            else if (!await WaitAsync(state.Changed, left, cancellationToken))
            {
                return; // between two events, so that the stream ends in order
            }
        }
    }

    /// <returns>False when the gateway stops or the listener has gone.</returns>
    private async Task<bool> WaitAsync(Task changed, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, Task.Delay(patience, _time, waiting.Token));
        await waiting.CancelAsync();
        return !cancellationToken.IsCancellationRequested;
    }

    private async Task SendAsync(HttpResponse response, LiveEvent next, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(next.Bytes, cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
        _sentAt = _time.GetTimestamp();
    }
}
