using System.Globalization;
using Telemetry.Gateway.Answers;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Fleet;

/// <summary>
/// States and findings of the fleet, worked out from the store alone, so that every gateway says the same. One request works
/// it out for all that ask within a moment.
/// </summary>
public sealed class FleetInsights(TelemetryReader store, FleetRules rules, TimeProvider time) : IDisposable
{
    // Since when something is so is looked for no further back.
    private static readonly TimeSpan LookBack = TimeSpan.FromHours(24);

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EnergyKeptFor = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _working = new(1);
    private (InsightsAnswer Answer, long At)? _last;
    private (double? EnergyKwh, long At)? _energy;

    /// <summary>The states and findings, at most five seconds old.</summary>
    public async Task<InsightsAnswer> GetAsync(CancellationToken cancellationToken)
    {
        await _working.WaitAsync(cancellationToken);
        try
        {
            if (_last is not { } last || time.GetElapsedTime(last.At) > KeptFor)
                _last = last = (await WorkOutAsync(cancellationToken), time.GetTimestamp());
            return last.Answer;
        }
        finally
        {
            _working.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _working.Dispose();

    private async Task<InsightsAnswer> WorkOutAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var gpus = (await store.LatestAsync(null, null, cancellationToken)).Select(l => Gpu.Of(l, rules, now)).ToList();
        var energy = EnergyAsync(now, cancellationToken);
        var found = Task.WhenAll(
            HeldAsync(gpus, now, cancellationToken), XidsAsync(gpus, now, cancellationToken), IncompleteAsync(gpus, now, cancellationToken));
        await Task.WhenAll(energy, found);
        List<Finding> findings = [.. (await found).SelectMany(f => f).Concat(LostOf(gpus, now))
            .OrderBy(f => f.Severity).ThenBy(f => f.Since).ThenBy(f => f.HostId, StringComparer.Ordinal).ThenBy(f => f.GpuId, StringComparer.Ordinal)];
        return new InsightsAnswer
        {
            Time = now,
            Summary = Summary(gpus, findings, await energy),
            Findings = findings,
            Total = findings.Count,
        };
    }

    // Whether the others of a host still report tells a node that is down from a GPU that fell off the bus.
    private IEnumerable<Finding> LostOf(List<Gpu> gpus, DateTimeOffset now)
    {
        foreach (var host in gpus.GroupBy(g => g.Key.HostId, StringComparer.Ordinal))
        {
            var lost = host.Where(g => g.State == GpuState.Lost).ToList();
            var (all, others) = (host.Count(), host.Count() - lost.Count);
            var (siblings, advice) = others switch
            {
                0 when all > 1 => ($"; so are all {all} GPUs of its host", "All of the host is silent: look whether the node is up, and its exporter runs."),
                0 => ("", "Look whether the node is up and its exporter runs; if so, look for XID 79 in the kernel log: the GPU may have fallen off the bus."),
                _ => ($"; {others} of the {all} GPUs of its host still {(others == 1 ? "reports" : "report")}", "The node is up: look for XID 79 in its kernel log, the GPU may have fallen off the bus. Drain the node and restart it."),
            };
            foreach (var gpu in lost)
                yield return Lost(gpu, now, siblings, advice);
        }
    }

    private Finding Lost(Gpu gpu, DateTimeOffset now, string siblings, string advice) => gpu.Finding(
        FindingKind.Lost, Severity.Critical, new ConditionRun(gpu.Row.Timestamp, false),
        $"no record for {Lasting.Text(now - gpu.Row.Timestamp)}; lost after {Lasting.Text(rules.LostAfter)}{siblings}", advice,
        new Evidence { Metric = "age_seconds", Value = Math.Round((now - gpu.Row.Timestamp).TotalSeconds, 3), Threshold = rules.LostAfter.TotalSeconds, Timestamp = gpu.Row.Timestamp });

    /// <summary>Findings that need a condition to be fulfilled for a time.</summary>
    private async Task<IEnumerable<Finding>> HeldAsync(List<Gpu> gpus, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var conditions = Conditions().ToList();
        var reporting = gpus.Where(g => g.State != GpuState.Lost).ToList();
        var queries = conditions.Select(c => new ConditionQuery(c.Condition, [.. reporting.Where(c.IsFulfilled).Select(g => g.Key)])).ToList();
        var runs = await store.RunsAsync(queries, new TimeRange(now - LookBack, now.AddMilliseconds(1)), cancellationToken);
        return conditions.Zip(runs).SelectMany(c => reporting
            .Where(g => c.Second.TryGetValue(g.Key, out var run) && (now - run.Since >= c.First.For))
            .Select(g => c.First.Finding(g, c.Second[g.Key], now)));
    }

    /// <summary>A condition on a metric, and the finding that it makes of a GPU.</summary>
    private sealed record Held(MetricCondition Condition, TimeSpan For, Func<Gpu, ConditionRun, DateTimeOffset, Finding> Finding)
    {
        public Func<Gpu, bool> Applies { get; init; } = _ => true;

        public bool IsFulfilled(Gpu gpu) => Applies(gpu) && gpu.Value(Condition.Metric) is { } value && Condition.Holds(value);
    }

    private IEnumerable<Held> Conditions()
    {
        var below = rules.Idle.BelowPercent;
        yield return new Held(new MetricCondition(GpuStates.EngineMetric, Below: below / 100), rules.Idle.For, (g, run, now) => Idle(g, run, now, GpuStates.EngineMetric, below / 100));
        yield return new Held(new MetricCondition(GpuStates.UtilizationMetric, Below: below), rules.Idle.For, (g, run, now) => Idle(g, run, now, GpuStates.UtilizationMetric, below))
        {
            Applies = g => g.Value(GpuStates.EngineMetric) is null,
        };
        foreach (var (metric, from) in new[] { ("temperature_c", rules.Hot.TemperatureC), ("memory_temperature_c", rules.Hot.MemoryTemperatureC) })
            yield return new Held(new MetricCondition(metric, AtLeast: from), rules.Hot.For, (g, run, now) => Hot(g, run, now, metric, from));
        var mask = rules.Throttled.Mask();
        if (mask != 0)
            yield return new Held(new MetricCondition(ClockEvents.Metric, Mask: mask), rules.Throttled.For, (g, run, now) => Throttled(g, run, now, mask));
        foreach (var (counter, from) in rules.Failing.Counters)
            yield return new Held(new MetricCondition(counter, AtLeast: from), TimeSpan.Zero, (g, run, now) => Failing(g, run, counter, from));
    }

    private static Finding Idle(Gpu gpu, ConditionRun run, DateTimeOffset now, string metric, double below)
    {
        var reason = $"{metric} has been below {MetricUnits.Text(metric, below)} for {Span(run, now)}";
        return gpu.State == GpuState.IdleHeld
            ? gpu.Finding(FindingKind.IdleHeld, Severity.Warning, run,
                $"{reason} while {MetricUnits.Text(GpuStates.MemoryUsedMetric, gpu.Value(GpuStates.MemoryUsedMetric) ?? 0)} are held",
                "Ask who holds it whether the job hangs or has ended; free it for others.",
                gpu.Evidence(metric, below), gpu.Evidence(GpuStates.MemoryUsedMetric, null))
            : gpu.Finding(FindingKind.Idle, Severity.Info, run, reason, "It is free for work.", gpu.Evidence(metric, below));
    }

    private static Finding Hot(Gpu gpu, ConditionRun run, DateTimeOffset now, string metric, double from) => gpu.Finding(
        FindingKind.Hot, Severity.Warning, run,
        $"{metric} is {MetricUnits.Text(metric, gpu.Value(metric)!.Value)}, and has been {MetricUnits.Text(metric, from)} or more for {Span(run, now)}",
        "Check the node's fans, airflow and inlet temperature; compare with its siblings.", gpu.Evidence(metric, from));

    private static Finding Throttled(Gpu gpu, ConditionRun run, DateTimeOffset now, long mask) => gpu.Finding(
        FindingKind.Throttled, Severity.Warning, run,
        $"the clock has been lowered for {Span(run, now)}: {ClockEvents.Names(gpu.Value(ClockEvents.Metric)!.Value, mask)}",
        "It works more slowly than it could: for thermal reasons see its temperature, for power_brake and hw_slowdown the node's power supply.",
        gpu.Evidence(ClockEvents.Metric, null));

    private static Finding Failing(Gpu gpu, ConditionRun run, string counter, double from) => gpu.Finding(
        FindingKind.Failing, Severity.Critical, run,
        $"{counter} is {MetricUnits.Text(counter, gpu.Value(counter)!.Value)}{(MetricUnits.Description(counter) is { } text ? $" ({text})" : "")}",
        "Drain the node and reset the GPU; replace it if it returns.", gpu.Evidence(counter, from));

    private async Task<IEnumerable<Finding>> XidsAsync(List<Gpu> gpus, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var range = new TimeRange(now - rules.Failing.Window, now.AddMilliseconds(1));
        var runs = await store.ValueRunsAsync("xid", range, cancellationToken);
        var byKey = gpus.ToDictionary(g => g.Key);
        // A GPU that was first seen meanwhile is told of the next time.
        return runs.Where(r => byKey.ContainsKey(r.Gpu)).GroupBy(r => (r.Gpu, Code: (long)r.Value)).Select(of =>
        {
            var known = rules.Xid(of.Key.Code);
            // The gauge keeps the last code: one that is there from the beginning happened before.
            var (events, last) = (of.Count(r => !r.IsFromStart), of.Max(r => r.First));
            var kind = known.Cause == XidCause.Application ? FindingKind.ApplicationError : FindingKind.Failing;
            var window = Lasting.Text(rules.Failing.Window);
            var times = events == 0
                ? $"reported for more than {window}"
                : string.Create(CultureInfo.InvariantCulture, $"{(events == 1 ? "once" : $"{events} times")} in {window}, last {Lasting.Text(now - last)} ago");
            return byKey[of.Key.Gpu].Finding(kind, known.Severity, new ConditionRun(of.Min(r => r.First), of.Any(r => r.IsFromStart)),
                string.Create(CultureInfo.InvariantCulture, $"XID {of.Key.Code}: {known.Text}; {times}"), known.Advice,
                new Evidence { Metric = "xid", Value = of.Key.Code, Threshold = null, Timestamp = last });
        });
    }

    private async Task<IEnumerable<Finding>> IncompleteAsync(List<Gpu> gpus, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var complete = await store.CompletenessAsync(new TimeRange(now.AddHours(-1), now), null, null, cancellationToken);
        var byKey = gpus.Where(g => g.State != GpuState.Lost).ToDictionary(g => g.Key);
        var findings = new List<Finding>();
        // A GPU that always loses most of its records seems to have a long interval; its siblings have the exporter's.
        var usual = complete.Where(c => c.Interval is not null).GroupBy(c => c.HostId)
            .ToDictionary(h => h.Key, h => h.Select(c => c.Interval!.Value).Order().ElementAt((h.Count() - 1) / 2), StringComparer.Ordinal);
        foreach (var of in complete)
        {
            if (!byKey.TryGetValue(new GpuKey(of.HostId, of.GpuId), out var gpu) || of.Interval is not { } interval)
                continue;
            var (received, expected) = (of.Hours.Sum(h => h.Rows), of.Hours.Sum(h => h.Expected ?? 0) * Math.Max(1, interval / usual[of.HostId]));
            // One record may be on its way.
            if (received + 1 >= rules.IncompleteBelowShare * expected)
                continue;
            var share = received / expected;
            findings.Add(gpu.Finding(FindingKind.Incomplete, Severity.Warning, new ConditionRun(of.Hours[0].Start, true),
                string.Create(CultureInfo.InvariantCulture, $"{received} of about {expected:0} records arrived, {share * 100:0.#} %"),
                "Look at the exporter on its node: some lose most of the samples of some GPUs without a word.",
                new Evidence { Metric = "completeness", Value = Math.Round(share, 4), Threshold = rules.IncompleteBelowShare, Timestamp = now }));
        }
        // Exporters do not fail all at once.
        return 2 * findings.Count > byKey.Count && findings.Count > 1
            ? findings.Select(f => f with { Advice = "Most of the fleet is incomplete: look at the pipeline first, which may have stood still." })
            : findings;
    }

    private FleetSummaryState Summary(List<Gpu> gpus, List<Finding> findings, double? energyKwh)
    {
        int Of(GpuState state) => gpus.Count(g => g.State == state);
        int With(FindingKind kind) => findings.Where(f => f.Kind == kind).Select(f => (f.HostId, f.GpuId)).Distinct().Count();
        var reporting = gpus.Where(g => g.State != GpuState.Lost).ToList();
        var power = reporting.Select(g => g.Value("power_w")).OfType<double>().ToList();
        return new FleetSummaryState
        {
            Gpus = gpus.Count,
            Reporting = reporting.Count,
            Allocated = gpus.Any(g => g.Row.Gpu.Pod.Length > 0) ? reporting.Count(g => g.Row.Gpu.Pod.Length > 0) : null,
            Active = Of(GpuState.Active),
            Effective = reporting.Count(g => g.BusyPercent > rules.EffectiveAbovePercent),
            Idle = Of(GpuState.Idle),
            IdleHeld = Of(GpuState.IdleHeld),
            Unknown = Of(GpuState.Unknown),
            Lost = Of(GpuState.Lost),
            Hot = With(FindingKind.Hot),
            Throttled = With(FindingKind.Throttled),
            Failing = With(FindingKind.Failing),
            Incomplete = With(FindingKind.Incomplete),
            PowerW = power.Count > 0 ? Math.Round(power.Sum(), 1) : null,
            EnergyKwh24h = energyKwh,
        };
    }

    // A day of every GPU: looked at once a minute.
    private async Task<double?> EnergyAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (_energy is not { } last || time.GetElapsedTime(last.At) > EnergyKeptFor)
        {
            var usage = await FleetUsage.OfAsync(store, rules, FleetUsage.Last(TimeSpan.FromHours(24), now), cancellationToken);
            _energy = last = (usage.Total.EnergyKwh, time.GetTimestamp());
        }
        return last.EnergyKwh;
    }

    private static string Span(ConditionRun run, DateTimeOffset now) => (run.IsAtLeast ? "at least " : "") + Lasting.Text(now - run.Since);

    /// <summary>A GPU with its newest record and state.</summary>
    private sealed record Gpu(GpuKey Key, TelemetryRow Row, GpuState State)
    {
        public double? BusyPercent => GpuStates.BusyPercent(Value(GpuStates.EngineMetric), Value(GpuStates.UtilizationMetric));

        public static Gpu Of(LatestRow latest, FleetRules rules, DateTimeOffset now) => new(
            new GpuKey(latest.Row.Gpu.HostId, latest.Row.Gpu.GpuId), latest.Row, GpuStates.Of(rules, latest.Row.Metrics, now - latest.Row.Timestamp));

        public double? Value(string metric) => Row.Metrics.TryGetValue(metric, out var value) ? value : null;

        public Evidence Evidence(string metric, double? threshold) => new()
        {
            Metric = metric,
            Value = Value(metric) ?? 0,
            Threshold = threshold,
            Timestamp = Row.Timestamp,
        };

        public Finding Finding(FindingKind kind, Severity severity, ConditionRun run, string reason, string advice, params IReadOnlyList<Evidence> evidence) => new()
        {
            Kind = kind,
            Severity = severity,
            HostId = Key.HostId,
            GpuId = Key.GpuId,
            Uuid = TelemetryRecord.Label(Row.Gpu.Uuid),
            Model = TelemetryRecord.Label(Row.Gpu.Model),
            Pod = TelemetryRecord.Label(Row.Gpu.Pod),
            Namespace = TelemetryRecord.Label(Row.Gpu.Namespace),
            Since = run.Since,
            SinceAtLeast = run.IsAtLeast,
            Reason = reason,
            Advice = advice,
            Evidence = evidence,
        };
    }
}
