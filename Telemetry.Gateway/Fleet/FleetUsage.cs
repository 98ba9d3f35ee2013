using System.Runtime.InteropServices;
using Telemetry.Gateway.Answers;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Fleet;

/// <summary>
/// How the fleet was used, from the hours of its GPUs: an hour counts as what the GPU did in it on average, for as much of
/// the hour as its records stand for.
/// </summary>
internal static class FleetUsage
{
    private static readonly string[] Metrics =
        [GpuStates.EngineMetric, GpuStates.UtilizationMetric, GpuStates.MemoryUsedMetric, GpuStates.MemoryFreeMetric, "power_w"];

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private sealed class Sum
    {
        private readonly double[] _hoursOf = new double[Enum.GetValues<GpuState>().Length];
        private double _busyHours;
        private double _busyPercentHours;
        private double _energyKwh;
        private double _energyHours;

        public void Add(GpuState state, double hours, double? busyPercent, double? watts)
        {
            _hoursOf[(int)state] += hours;
            if (busyPercent is { } percent)
            {
                _busyHours += hours;
                _busyPercentHours += percent * hours;
            }
            if (watts is { } power)
            {
                _energyKwh += power * hours / 1000;
                _energyHours += hours;
            }
        }

        public UsageFigures Figures() => new()
        {
            GpuHours = Round(_hoursOf.Sum()),
            ActiveHours = Round(_hoursOf[(int)GpuState.Active]),
            IdleHours = Round(_hoursOf[(int)GpuState.Idle]),
            IdleHeldHours = Round(_hoursOf[(int)GpuState.IdleHeld]),
            UnknownHours = Round(_hoursOf[(int)GpuState.Unknown]),
            GpuUtilization = _busyHours > 0 ? Round(_busyPercentHours / _busyHours) : null,
            EnergyKwh = _energyHours > 0 ? Round(_energyKwh) : null,
            EnergyHours = Round(_energyHours),
        };

        private static double Round(double value) => Math.Round(value, 3);
    }

    /// <summary>So many whole hours, of which the present one is the last; an hour alone has the one before, too.</summary>
    public static TimeRange Last(TimeSpan range, DateTimeOffset now)
    {
        var end = WholeHour(now).AddHours(1);
        return new TimeRange(range > Hour ? end - range : end - (2 * Hour), end);
    }

    /// <summary>The usage of the whole hours that a range touches.</summary>
    public static async Task<UsageAnswer> OfAsync(TelemetryReader store, FleetRules rules, TimeRange range, CancellationToken cancellationToken)
    {
        var total = new Sum();
        var hours = new SortedDictionary<DateTimeOffset, Sum>();
        var hosts = new Dictionary<string, Sum>(StringComparer.Ordinal);
        var namespaces = new Dictionary<string, Sum>(StringComparer.Ordinal);
        var of = new TimeRange(WholeHour(range.Start), WholeHour(range.End.AddTicks(TimeSpan.TicksPerHour - 1)));
        await store.GpuHoursAsync(of, Metrics, hour =>
        {
            var averages = hour.Averages;
            var busy = GpuStates.BusyPercent(averages[0], averages[1]);
            var state = GpuStates.Of(rules, busy, averages[2], averages[3]);
            foreach (var sum in (ReadOnlySpan<Sum>)[total, Of(hours, hour.Start), Of(hosts, hour.Gpu.HostId), Of(namespaces, hour.Gpu.Namespace)])
                sum.Add(state, hour.Covered, busy, averages[4]);
        }, cancellationToken);
        return new UsageAnswer
        {
            StartTime = of.Start,
            EndTime = of.End,
            Total = total.Figures(),
            Hours = [.. hours.Select(h => new HourUsage(h.Value.Figures()) { StartTime = h.Key })],
            Hosts = [.. hosts.OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => new HostUsage(h.Value.Figures()) { HostId = h.Key })],
            Namespaces = [.. namespaces.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => new NamespaceUsage(n.Value.Figures()) { Namespace = TelemetryRecord.Label(n.Key) })],
        };
    }

    private static DateTimeOffset WholeHour(DateTimeOffset time) => time.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerHour));

    private static Sum Of(Dictionary<string, Sum> sums, string key) =>
        CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _) ??= new Sum();

    private static Sum Of(SortedDictionary<DateTimeOffset, Sum> sums, DateTimeOffset key)
    {
        if (!sums.TryGetValue(key, out var sum))
            sums.Add(key, sum = new Sum());
        return sum;
    }
}
