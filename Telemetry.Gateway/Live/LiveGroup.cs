using Telemetry.Gateway.Fleet;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Live;

/// <summary>The listeners that want the same: their events are made once. Used by the feed's loop alone.</summary>
internal sealed class LiveGroup(LiveFilter filter, FleetRules rules, TimeProvider time)
{
    private readonly NewestRecords _newest = new();
    private long _sentAt = time.GetTimestamp();

    /// <summary>The listeners.</summary>
    public List<LiveSubscription> Listeners { get; } = [];

    /// <summary>Hands records on, or keeps the newest until it is time.</summary>
    public void Add(WrittenRows written)
    {
        if (filter.IsConflated)
        {
            foreach (var row in written.Rows.Where(filter.Matches))
                _newest.Add(row);
            return;
        }
        var rows = filter is { HostId: null, GpuId: null } ? written.Rows : [.. written.Rows.Where(filter.Matches)];
        Send(rows, written.Next);
    }

    /// <summary>Hands the newest records on where it is time. The feed stands at <paramref name="position"/>.</summary>
    public void Tick(StorePosition position)
    {
        if (!filter.IsConflated)
            return;
        if (!_newest.Any)
        {
            Send([], position);
        }
        else if (time.GetElapsedTime(_sentAt) >= filter.Interval)
        {
            _sentAt = time.GetTimestamp();
            Send(_newest.Take(), position);
        }
    }

    private void Send(IReadOnlyCollection<TelemetryRow> rows, StorePosition position)
    {
        var next = rows.Count == 0 ? null : LiveEvent.OfRecords(rows, filter, position, rules, time.GetUtcNow());
        foreach (var listener in Listeners)
            listener.Add(next, position);
    }
}
