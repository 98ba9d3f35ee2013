using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Prometheus.Evaluation;

/// <summary>Reads what selectors select, one GPU after the other.</summary>
internal sealed class Selectors(SampleReader? reader, Steps steps, Budget budget)
{
    /// <summary>How old the newest sample may be: Prometheus's default.</summary>
    public const long LookbackMs = 5 * 60_000;

    private readonly Vocabulary _vocabulary = new(reader?.Metrics ?? []);

    /// <summary>
    /// The newest sample of each series at each step, where it is not older than the lookback. A series of a GPU ends when
    /// another one of that GPU goes on (its pod has changed), as it would for a Prometheus that asks the GPU's exporter.
    /// </summary>
    /// <param name="selector">Which series.</param>
    /// <param name="ofTimes">Whether the samples' times are wanted, in seconds, and not their values.</param>
    public IEnumerable<Series> Newest(Selector selector, bool ofTimes = false)
    {
        var at = TimesOf(selector);
        var samples = new List<SampleList>(); // used again for each GPU
        foreach (var (metric, selection, gpu) in Gpus(selector, at, LookbackMs))
        {
            var labels = gpu.ConvertAll(metric.LabelsOf);
            if (!labels.Exists(l => Matches(selector, l)))
                continue;
            while (samples.Count < gpu.Count)
                samples.Add(new SampleList());
            for (var i = 0; i < gpu.Count; i++)
                Read(selection, gpu[i], samples[i]);
            for (var i = 0; i < gpu.Count; i++)
            {
                if (samples[i].Count > 0 && Matches(selector, labels[i]))
                    yield return new Series(labels[i], Newest(at, samples[i], gpu.Count == 1 ? [] : samples[..gpu.Count], ofTimes));
            }
        }
    }

    /// <summary>A function of the samples of each series in the range before each step.</summary>
    public IEnumerable<Series> OverRange(Selector selector, RangeFunctions.Evaluate function)
    {
        var at = TimesOf(selector);
        var samples = new SampleList();
        foreach (var (labels, selection, series) in Matching(selector, at))
        {
            Read(selection, series, samples);
            if (samples.Count > 0)
                yield return new Series(labels, OverRange(at, samples, selector.RangeMs, function, reader!.Stop));
        }
    }

    /// <summary>The samples of each series in the range before the first step.</summary>
    public IEnumerable<(Labels Labels, long[] Times, double[] Values)> Samples(Selector selector)
    {
        var samples = new SampleList();
        foreach (var (labels, selection, series) in Matching(selector, TimesOf(selector)))
        {
            Read(selection, series, samples);
            budget.Keep(2 * samples.Count); // times and values
            if (samples.Count > 0)
                yield return (labels, samples.TimesUnixMs.ToArray(), samples.Values.ToArray());
        }
    }

    private IEnumerable<(Labels Labels, SampleSelection Selection, SampleSeries Series)> Matching(Selector selector, long[] at)
    {
        foreach (var (metric, selection, gpu) in Gpus(selector, at, selector.RangeMs))
        {
            foreach (var series in gpu)
            {
                var labels = metric.LabelsOf(series);
                if (Matches(selector, labels))
                    yield return (labels, selection, series);
            }
        }
    }

    /// <summary>The GPUs that may have samples, each with its series; those of one metric after those of another.</summary>
    private IEnumerable<(NamedMetric Metric, SampleSelection Selection, List<SampleSeries> Gpu)> Gpus(Selector selector, long[] at, long before)
    {
        foreach (var metric in _vocabulary.Metrics.Where(m => Matches(selector, m)))
        {
            // What is asked of hosts and GPUs by their names, the store looks up; the rest is looked at here.
            var selection = reader!.Select(
                metric.Column, Equal(selector, metric.HostLabel), Equal(selector, metric.GpuLabel), at[0] - before + 1, at[^1] + 1);
            for (var first = 0; first < selection.Series.Count;)
            {
                reader.Stop.ThrowIfCancellationRequested();
                var gpu = selection.Series.Skip(first).TakeWhile(s => IsOfGpu(s, selection.Series[first])).ToList();
                first += gpu.Count;
                yield return (metric, selection, gpu);
            }
        }
    }

    /// <summary>The instants that the selector looks at, of each step; they never fall.</summary>
    private long[] TimesOf(Selector selector)
    {
        var times = new long[steps.Count];
        for (var i = 0; i < times.Length; i++)
        {
            times[i] = -selector.OffsetMs + selector.Anchor switch
            {
                Anchor.Start => steps.StartMs,
                Anchor.End => steps.EndMs,
                Anchor.Time => selector.AnchorMs,
                _ => steps[i],
            };
        }
        return times;
    }

    private void Read(SampleSelection selection, SampleSeries series, SampleList into)
    {
        selection.Read(series, into);
        budget.Read(into.Count);
    }

    private static double[] Newest(long[] at, SampleList samples, List<SampleList> others, bool ofTimes)
    {
        var points = Point.NoneOf(at.Length);
        var times = samples.TimesUnixMs;
        var values = samples.Values;
        var next = 0;
        var nextOfOthers = new int[others.Count];
        for (var i = 0; i < at.Length; i++)
        {
            next = After(times, next, at[i]);
            if (next == 0 || times[next - 1] <= at[i] - LookbackMs)
                continue;
            var isNewest = true;
            for (var other = 0; other < others.Count; other++)
            {
                ref var place = ref nextOfOthers[other];
                var otherTimes = others[other].TimesUnixMs;
                place = After(otherTimes, place, at[i]);
                isNewest &= place == 0 || otherTimes[place - 1] <= times[next - 1];
            }
            if (isNewest)
                points[i] = ofTimes ? times[next - 1] / 1000.0 : values[next - 1];
        }
        return points;
    }

    private static double[] OverRange(long[] at, SampleList samples, long range, RangeFunctions.Evaluate function, CancellationToken stop)
    {
        var points = Point.NoneOf(at.Length);
        var times = samples.TimesUnixMs;
        var values = samples.Values;
        var (first, end) = (0, 0);
        for (var i = 0; i < at.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            first = After(times, first, at[i] - range);
            end = After(times, Math.Max(first, end), at[i]);
            if (end > first)
                points[i] = function(new Window(times[first..end], values[first..end], at[i] - range, at[i]));
        }
        return points;
    }

    /// <summary>The index of the first time after an instant, from an index on.</summary>
    private static int After(ReadOnlySpan<long> times, int from, long instant)
    {
        while (from < times.Length && times[from] <= instant)
            from++;
        return from;
    }

    private static bool IsOfGpu(SampleSeries one, SampleSeries other) =>
        one.Labels.GpuId == other.Labels.GpuId && one.Labels.HostId == other.Labels.HostId;

    private static string? Equal(Selector selector, string label) =>
        selector.Matchers.FirstOrDefault(m => m.Label == label && m.Operator == "=" && m.Value.Length > 0)?.Value;

    /// <summary>Whether a metric's name fits.</summary>
    internal static bool Matches(Selector selector, NamedMetric metric) =>
        selector.Matchers.All(m => m.Label != Labels.Name || m.Matches(metric.Name));

    /// <summary>Whether a series' labels fit.</summary>
    internal static bool Matches(Selector selector, Labels labels)
    {
        foreach (var matcher in selector.Matchers)
        {
            if (!matcher.Matches(labels[matcher.Label]))
                return false;
        }
        return true;
    }
}
