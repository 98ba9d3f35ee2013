using Telemetry.Gateway.Answers;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Fleet;

/// <summary>What happened to a GPU, from its records in the order of time.</summary>
internal sealed class GpuEvents
{
    /// <summary>How far events are looked for at once: every record of the range is read.</summary>
    public static readonly TimeSpan RangeMax = TimeSpan.FromDays(7);

    private const string XidMetric = "xid";

    private readonly FleetRules _rules;
    private readonly long _throttleMask;
    private readonly List<GpuEvent> _events = [];
    private readonly Dictionary<string, double> _counters = new(StringComparer.Ordinal);
    private (DateTimeOffset Time, GpuLabels Gpu)? _before;
    private (DateTimeOffset Since, double Reasons)? _throttled;
    private (DateTimeOffset Since, double Code, long Records)? _xid;

    private GpuEvents(FleetRules rules)
    {
        _rules = rules;
        _throttleMask = rules.Throttled.Mask();
    }

    /// <summary>The events of a range, newest first. What began before the range begins with it.</summary>
    /// <param name="store">The store.</param>
    /// <param name="rules">What counts.</param>
    /// <param name="gpu">The GPU, with the time of its newest record.</param>
    /// <param name="range">The range.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<IReadOnlyList<GpuEvent>> OfAsync(
        TelemetryReader store, FleetRules rules, GpuRow gpu, TimeRange range, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var wanted = rules.Failing.Counters.Keys.Concat([XidMetric, ClockEvents.Metric]).ToHashSet(StringComparer.Ordinal);
        var query = new ExportQuery
        {
            HostId = gpu.Gpu.HostId,
            GpuId = gpu.Gpu.GpuId,
            Start = range.Start,
            End = range.End,
            Metrics = [.. (await store.MetricsAsync(cancellationToken)).Where(wanted.Contains)],
        };
        // The store gives hour by hour, and in an hour each set of labels by itself.
        var events = new GpuEvents(rules);
        var hour = new List<TelemetryRow>();
        await foreach (var row in store.ExportAsync(query, cancellationToken))
        {
            if (hour.Count > 0 && HourOf(row) != HourOf(hour[0]))
                events.Add(hour);
            hour.Add(row);
        }
        events.Add(hour);
        events.End(range, gpu.LastSeen, now);
        return [.. events._events.OrderByDescending(e => e.Timestamp)];
    }

    private static long HourOf(TelemetryRow row) => row.Timestamp.UtcTicks / TimeSpan.TicksPerHour;

    private void Add(List<TelemetryRow> hour)
    {
        foreach (var row in hour.OrderBy(r => r.Timestamp))
            Add(row);
        hour.Clear();
    }

    private void Add(TelemetryRow row)
    {
        var time = row.Timestamp;
        if (_before is { } before)
        {
            if (time - before.Time > _rules.LostAfter)
                Silence(before.Time, time);
            if (row.Gpu != before.Gpu)
                Add(time, null, EventKind.Labels, Severity.Info, "Labels changed", Change(before.Gpu, row.Gpu));
        }
        AddXid(time, row.Metrics.GetValueOrDefault(XidMetric));
        AddThrottle(time, (long)row.Metrics.GetValueOrDefault(ClockEvents.Metric) & _throttleMask);
        foreach (var (counter, from) in _rules.Failing.Counters)
        {
            if (!row.Metrics.TryGetValue(counter, out var value))
                continue;
            if (_counters.TryGetValue(counter, out var last) && value > last && value >= from)
            {
                Add(time, null, EventKind.Ecc, Severity.Critical, MetricUnits.Description(counter) ?? counter,
                    $"{counter} rose from {MetricUnits.Text(counter, last)} to {MetricUnits.Text(counter, value)}", "Drain the node and reset the GPU; replace it if it returns.");
            }
            _counters[counter] = value;
        }
        _before = (time, row.Gpu);
    }

    private void End(TimeRange range, DateTimeOffset lastSeen, DateTimeOffset now)
    {
        if (_before is { } before)
        {
            AddXid(before.Time, 0);
            if (_throttled is { } throttled)
                Throttle(throttled, null);
        }
        var from = _before?.Time ?? range.Start;
        var until = range.End < now ? range.End : now;
        if (lastSeen >= range.End && until - from > _rules.LostAfter)
            Silence(from, until); // what comes after the range has arrived
        else if (lastSeen < range.Start && now - lastSeen > _rules.LostAfter)
            Add(from, null, EventKind.Silence, Severity.Critical, "No records", $"nothing has arrived for {Lasting.Text(now - lastSeen)}");
        else if (lastSeen < range.End && until - from > _rules.LostAfter)
            Silence(from, null);
    }

    private void AddXid(DateTimeOffset time, double code)
    {
        if (_xid is { } xid && xid.Code != code)
        {
            var known = _rules.Xid((long)xid.Code);
            Add(xid.Since, null, EventKind.Xid, known.Severity, $"XID {(long)xid.Code}",
                $"{known.Text}{(xid.Records > 1 ? $"; in {xid.Records} records one after the other" : "")}", known.Advice);
            _xid = null;
        }
        if (code != 0)
            _xid = _xid is { } same ? same with { Records = same.Records + 1 } : (time, code, 1);
    }

    private void AddThrottle(DateTimeOffset time, double reasons)
    {
        if (_throttled is { } throttled && throttled.Reasons != reasons)
        {
            Throttle(throttled, time);
            _throttled = null;
        }
        if (reasons != 0)
            _throttled ??= (time, reasons);
    }

    private void Throttle((DateTimeOffset Since, double Reasons) throttled, DateTimeOffset? end) =>
        Add(throttled.Since, end, EventKind.Throttle, Severity.Warning, "Clock lowered", ClockEvents.Names(throttled.Reasons, _throttleMask));

    private void Silence(DateTimeOffset from, DateTimeOffset? to) =>
        Add(from, to, EventKind.Silence, to is null ? Severity.Critical : Severity.Warning, "No records",
            to is { } end ? $"nothing arrived for {Lasting.Text(end - from)}" : "nothing has arrived since");

    private void Add(DateTimeOffset time, DateTimeOffset? end, EventKind kind, Severity severity, string title, string text, string? advice = null) =>
        _events.Add(new GpuEvent { Timestamp = time, EndTime = end, Kind = kind, Severity = severity, Title = title, Text = text, Advice = advice });

    private static string Change(GpuLabels from, GpuLabels to)
    {
        (string Label, string From, string To)[] labels =
        [
            ("uuid", from.Uuid, to.Uuid), ("model", from.Model, to.Model), ("device", from.Device, to.Device),
            ("pod", from.Pod, to.Pod), ("namespace", from.Namespace, to.Namespace), ("container", from.Container, to.Container),
        ];
        return string.Join("; ", labels.Where(l => l.From != l.To).Select(l => $"{l.Label} from {Shown(l.From)} to {Shown(l.To)}"));
    }

    private static string Shown(string label) => label.Length == 0 ? "none" : $"'{label}'";
}
