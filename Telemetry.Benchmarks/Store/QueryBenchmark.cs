using System.Diagnostics;
using Telemetry.Benchmarks.Broker;
using Telemetry.Gateway.Prometheus;
using Telemetry.Gateway.Prometheus.Evaluation;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage.Queries;

namespace Telemetry.Benchmarks.Store;

/// <summary>How long queries take over a day of a fleet: one after the other, first alone, then while the store takes rows and folds them.</summary>
internal static class QueryBenchmark
{
    private const int TimesMin = 3;

    /// <summary>A query; the budget is for 1,000 GPUs, of the latest rows for 10,000, null for none.</summary>
    private sealed record Query(string Name, double? BudgetMs, Func<Asking, Task<int>> RunAsync);

    private static readonly Query[] Queries =
    [
        new("aggregation 24 h by host", 50, async ask => (await ask.Reader.AggregateAsync(ask.Last(24), GroupBy.HostId, null, null, null, ask.Cancelled)).Count),
        new("the same, from any moment", null, async ask => (await ask.Reader.AggregateAsync(ask.LastExactly(24), GroupBy.HostId, null, null, null, ask.Cancelled)).Count),
        new("aggregation 1 h by host", null, async ask => (await ask.Reader.AggregateAsync(ask.Last(1), GroupBy.HostId, null, null, null, ask.Cancelled)).Count),
        new("series of a GPU 24 h, 5 min", 10, ask => ask.SeriesAsync(TimeSpan.FromMinutes(5))),
        new("series of a GPU 24 h, 1 min", 10, ask => ask.SeriesAsync(TimeSpan.FromMinutes(1))),
        new("series of a GPU 24 h, 10 s", null, ask => ask.SeriesAsync(TimeSpan.FromSeconds(10))),
        new("latest of all", 50, async ask => (await ask.Reader.LatestAsync(null, null, ask.Cancelled)).Count),
        new("summary 24 h", null, async ask => (int)(await ask.Reader.SummaryAsync(ask.Last(24), ask.Cancelled)).Gpus),
        new("PromQL avg by host 24 h, 5 min", null, ask => ask.PromQlAsync("avg by (host_id) (gpu_utilization)", 24)),
        new("PromQL rate of a host 24 h, 5 min", null, ask => ask.PromQlAsync($"sum(rate(power_w{{host_id=\"{ask.AnyHost()}\"}}[5m]))", 24)),
        new("PromQL newest of all", null, ask => ask.PromQlAsync("gpu_utilization", 0)),
        new("page of 100, newest", null, ask => ask.PageAsync(new RowQuery { CountTotal = false })),
        new("the same, with totals", null, ask => ask.PageAsync(new RowQuery())),
        new("page of a GPU, half-way back", null, ask => ask.PageOfGpuAsync(countTotal: false)),
        new("the same, with totals", null, ask => ask.PageOfGpuAsync(countTotal: true)),
    ];

    public static async Task MeasureAsync(StoreSettings settings, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder(settings.Folder);
        var path = folder.File("telemetry.db");
        var fleet = new WalkingFleet(settings.Gpus ?? 1_000);
        // It ends within an hour, so that it has merged hours, parts of the current one and plain rows; and within a minute,
        // as questions do.
        var length = TimeSpan.FromHours(settings.Hours ?? 24) + new TimeSpan(0, 30, 17);
        using var history = History.Write(path, fleet, length, settings.Interval, cancellationToken);
        history.Upkeep.CatchUp(Upkeep.FoldDelay, cancellationToken);
        Lines.Note("file", $"{history.Store.DatabaseBytes / 1e6:n0} MB with the log");
        Lines.Note("load", $"idle: the clock stands. load: {fleet.Gpus.Count:n0} rows a second in one transaction, open-loop, with folding, merging and retention, in this process");
        using var reader = new TelemetryReader(path, history.Clock);
        var time = TimeSpan.FromSeconds(settings.Seconds ?? 5);
        Lines.Plain($"{"milliseconds",-30}{"results",9}{"idle p50",10}{"p99",9}{"times",7}{"load p50",11}{"p99",9}{"times",7}{"budget",9}");
        var asking = new Asking(reader, fleet, history.Clock, length / 2, cancellationToken);
        var idle = new List<Figures>();
        foreach (var query in Queries)
            idle.Add(await MeasureAsync(query, asking, time));
        var folded = history.Upkeep.Folded;
        await using var load = Load.Start(history, speed: 1);
        await load.WaitAsync(time, cancellationToken);
        for (var i = 0; i < Queries.Length; i++)
        {
            var loaded = await MeasureAsync(Queries[i], asking, time);
            Lines.Plain($"{Queries[i].Name,-30}{loaded.Results,9:n0}{idle[i].P50,10:n2}{idle[i].P99,9:n2}{idle[i].Times,7:n0}{loaded.P50,11:n2}{loaded.P99,9:n2}{loaded.Times,7:n0}{Queries[i].BudgetMs,9:n0}");
        }
        Lines.Note("load", $"at the worst {load.Writer.TakeWorstDelay().TotalSeconds:n2} s from when rows were due until they were synced; {history.Upkeep.Folded - folded:n0} rows folded meanwhile");
    }

    private readonly record struct Figures(int Results, int Times, double P50, double P99);

    private static async Task<Figures> MeasureAsync(Query query, Asking asking, TimeSpan time)
    {
        var results = await query.RunAsync(asking); // not measured: compiles, and reads what is not in memory yet
        if (results == 0)
            throw new InvalidOperationException($"{query.Name}: no results");
        var took = new List<double>();
        for (var began = Stopwatch.GetTimestamp(); took.Count < TimesMin || Stopwatch.GetElapsedTime(began) < time;)
        {
            var asked = Stopwatch.GetTimestamp();
            await query.RunAsync(asking);
            took.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }
        return new Figures(results, took.Count, Percentiles.Of(took, 0.5), Percentiles.Of(took, 0.99));
    }

    /// <summary>Who asks: now, and of any GPU.</summary>
    private sealed class Asking(TelemetryReader reader, ReportingFleet fleet, TimeProvider clock, TimeSpan halfWayBack, CancellationToken cancelled)
    {
        private readonly Random _random = new(11);

        public TelemetryReader Reader => reader;

        public CancellationToken Cancelled => cancelled;

        /// <summary>As the gateway reads <c>time_range</c>: from the start of a minute.</summary>
        public TimeRange Last(int hours)
        {
            var last = LastExactly(hours);
            return last with { Start = last.Start.AddTicks(-(last.Start.Ticks % TimeSpan.TicksPerMinute)) };
        }

        public TimeRange LastExactly(int hours)
        {
            var now = clock.GetUtcNow();
            return new TimeRange(now - TimeSpan.FromHours(hours), now);
        }

        public async Task<int> SeriesAsync(TimeSpan step)
        {
            var gpu = AnyGpu();
            return (await reader.SeriesAsync(gpu.HostId, gpu.GpuId, "power_w", Last(24), step, cancelled)).Count;
        }

        public string AnyHost() => AnyGpu().HostId;

        /// <summary>The points of a query in steps of five minutes.</summary>
        public async Task<int> PromQlAsync(string query, int hours)
        {
            var expression = Parser.Parse(query);
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            var steps = new Steps(now - (hours * 3_600_000L), 300_000, (hours * 12) + 1, now);
            var budget = new Budget(QueryRoutes.SamplesMax, QueryRoutes.PointsMax);
            var series = await reader.SamplesAsync<IReadOnlyList<Series>>([], samples => new Evaluator(samples, steps, budget).Collect(expression), cancelled);
            return series.Sum(s => s.Points.Count(Point.IsThere));
        }

        public async Task<int> PageAsync(RowQuery query) => (await reader.RowsAsync(query, cancelled)).Rows.Count;

        public Task<int> PageOfGpuAsync(bool countTotal)
        {
            var gpu = AnyGpu();
            return PageAsync(new RowQuery { HostId = gpu.HostId, GpuId = gpu.GpuId, End = clock.GetUtcNow() - halfWayBack, CountTotal = countTotal });
        }

        private GpuLabels AnyGpu() => fleet.Gpus[_random.Next(fleet.Gpus.Count)];
    }
}
