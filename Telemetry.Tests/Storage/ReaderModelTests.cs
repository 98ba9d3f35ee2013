using CsCheck;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class ReaderModelTests
{
    private static readonly string[] Metrics = ["power_w", "temperature_c", "xid"];

    // Whole and quarter values, so that sums are the same in any order.
    private static readonly Gen<Dictionary<string, double>> Values =
        Gen.Select(Gen.Int[-40, 40].Array[3], Gen.Bool.Array[3], (values, present) =>
            Metrics.Select((m, i) => (m, i)).Where(m => present[m.i]).ToDictionary(m => m.m, m => values[m.i] / 4.0));

    private static readonly Gen<GpuLabels> Gpu =
        Gen.Select(Gen.Int[0, 2], Gen.Int[8, 11], Gen.Int[0, 1], (host, gpu, pod) => StoreFixture.Gpu($"h{host}", $"{gpu}", pod == 0 ? "" : "job"));

    // Few distinct times, so that many are equal and many come late; seconds or many minutes apart.
    private static readonly Gen<ModelRow> Row = Gen.Select(Gen.Int[0, 12], Gpu, Values,
        (step, gpu, values) => new ModelRow(step * 2_500, gpu, values));

    private static readonly Gen<ModelRow[][]> Batches = Row.Array[1, 12].Array[0, 8];

    /// <summary>What is done after a batch is written.</summary>
    private enum Deed
    {
        Nothing,
        FoldSome,
        Fold,
        Merge,
        RemovePlain,
        Reopen,
    }

    private static readonly Gen<Deed[]> Deeds = Gen.Enum<Deed>().Array[8, 30];

    private sealed record Question(RowQuery Rows, TimeRange Range, string Host, string Gpu, string Metric, TimeSpan Step, int BlockRows, int SmallRows, int Scale);

    // Between minutes as often as not, when the scale is minutes.
    private static readonly Gen<TimeRange> Range = Gen.Select(Gen.Int[0, 32_000], Gen.Int[1, 32_000], Gen.Bool,
        (from, length, isRound) => isRound ? (from / 250 * 250, Math.Max(length / 250 * 250, 250)) : (from, length))
        .Select(r => new TimeRange(StoreFixture.Epoch.AddMilliseconds(r.Item1), StoreFixture.Epoch.AddMilliseconds(r.Item1 + r.Item2)));

    private static readonly Gen<RowQuery> Rows = Gen.Select(Gen.Int[0, 3], Gen.Int[7, 12], Range, Gen.Int[0, 7], Gen.Int[0, 9], Gen.Int[1, 12],
        (host, gpu, range, flags, skip, limit) => new RowQuery
        {
            HostId = host == 3 ? null : $"h{host}",
            GpuId = gpu == 7 ? null : $"{gpu}",
            Start = (flags & 1) == 0 ? null : range.Start,
            End = (flags & 2) == 0 ? null : range.End,
            Metrics = (flags & 4) == 0 ? null : ["xid", "no_such_metric"],
            Skip = skip,
            Limit = limit,
        });

    private static readonly Gen<Question> Questions = Gen.Select(Rows, Range, Gen.Int[0, 2], Gen.Int[8, 11], Gen.Int[0, 2].Select(i => Metrics[i]), Gen.Select(Gen.Int[1, 9_000], Gen.Int[1, 20], Gen.Int[0, 20], Gen.Int[0, 3].Select(i => new[] { 1, 1, 240, 960 }[i])),
        (rows, range, host, gpu, metric, other) => Scaled(new Question(rows, range, $"h{host}", $"{gpu}", metric,
            TimeSpan.FromMilliseconds(other.Item1), other.Item2, other.Item3, other.Item4)));

    // 2.5 s × 240 are ten minutes, and × 960 forty; 250 ms become a minute and four.
    private static Question Scaled(Question q) => q with
    {
        Range = Scaled(q.Range, q.Scale),
        Rows = q.Rows with { Start = Scaled(q.Rows.Start, q.Scale), End = Scaled(q.Rows.End, q.Scale) },
        Step = q.Scale == 1 ? q.Step : TimeSpan.FromMinutes(Math.Max(1, (int)q.Step.TotalMilliseconds / 250)),
    };

    private static TimeRange Scaled(TimeRange range, int scale) => new(Scaled(range.Start, scale)!.Value, Scaled(range.End, scale)!.Value);

    private static DateTimeOffset? Scaled(DateTimeOffset? time, int scale) =>
        time is { } t ? StoreFixture.Epoch + ((t - StoreFixture.Epoch) * scale) : null;

    [Fact]
    public async Task Every_query_answers_like_a_plain_list_of_all_rows_before_and_after_folding() =>
        await Gen.Select(Batches, Questions, Deeds).SampleAsync(async (batches, question, deeds) =>
        {
            using var fixture = new StoreFixture(new TelemetryStoreOptions { BlockRowsMax = question.BlockRows, BlockSmallRows = question.SmallRows });
            using var reader = fixture.Reader();
            fixture.Time.Advance(TimeSpan.FromSeconds(25) * question.Scale); // "now" lies within the rows' times
            var model = new NaiveStore(fixture.Time.GetUtcNow());
            var next = 0;
            foreach (var batch in batches)
            {
                ModelRow[] rows = [.. batch.Select(r => r with { Time = StoreFixture.Epoch.ToUnixTimeMilliseconds() + (r.Time * question.Scale) })];
                Assert.Equal(rows.Length, fixture.Write(rows).Rows);
                model.Add(rows);
                for (; next < deeds.Length && deeds[next] != Deed.Nothing; next++)
                    Do(fixture, deeds[next]);
                next++;
            }
            await CompareAsync(reader, model, question);
            Do(fixture, Deed.Fold);
            await CompareAsync(reader, model, question);
            Do(fixture, Deed.Merge);
            Do(fixture, Deed.RemovePlain);
            await CompareAsync(reader, model, question);
        }, iter: 300, threads: 1);

    private static void Do(StoreFixture fixture, Deed deed)
    {
        switch (deed)
        {
            case Deed.FoldSome:
                fixture.Store.Fold(TimeSpan.Zero, rowsMax: 7);
                break;
            case Deed.Fold:
                while (fixture.Store.Fold(TimeSpan.Zero).Rows > 0)
                {
                }
                break;
            case Deed.Merge:
                while (fixture.Store.Merge(TimeSpan.FromHours(-20)).HasMore) // hours that are still to come, too
                {
                }
                break;
            case Deed.RemovePlain:
                while (fixture.Store.Retain(new RetentionCutoffs(StoreFixture.Epoch.AddDays(2), default, default)).HasMore)
                {
                }
                break;
            case Deed.Reopen:
                fixture.Reopen();
                break;
        }
    }

    private static async Task CompareAsync(TelemetryReader reader, NaiveStore model, Question question)
    {
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(model.Metrics(), await reader.MetricsAsync(cancel));
        Assert.Equal(model.Hosts(), await reader.HostsAsync(cancel));
        Assert.Equal(model.Gpus(question.Host), await reader.GpusAsync(question.Host, cancel));
        Assert.Equal(model.Rows.Count, (await reader.StateAsync(cancel)).Rows);
        Assert.Equal(model.Latest(), (await reader.LatestAsync(null, null, cancel)).Select(l =>
            (l.Row.Timestamp, l.Row.Gpu, NaiveStore.Text(l.Row.Metrics), l.FirstSeen)));
        foreach (var groupBy in Enum.GetValues<GroupBy>())
        {
            Same(model.Aggregate(question.Range, groupBy, question.Rows.HostId, question.Rows.GpuId),
                await reader.AggregateAsync(question.Range, groupBy, question.Rows.HostId, question.Rows.GpuId, null, cancel));
        }
        Assert.Equal(model.Series(question.Host, question.Gpu, question.Metric, question.Range, question.Step),
            await reader.SeriesAsync(question.Host, question.Gpu, question.Metric, question.Range, question.Step, cancel));
        var (expected, actual) = (model.Summary(question.Range), await reader.SummaryAsync(question.Range, cancel));
        Assert.Equal((expected.Hosts, expected.Gpus, expected.Rows), (actual.Hosts, actual.Gpus, actual.Rows));
        Assert.Equal(expected.Metrics, actual.Metrics);
        Assert.Equal(expected.Completeness ?? -1, actual.Completeness ?? -1, 1e-9);
        await CompareFleetAsync(reader, model, question);
        await ComparePagesAsync(reader, model, question.Rows);
    }

    private static async Task CompareFleetAsync(TelemetryReader reader, NaiveStore model, Question question)
    {
        var cancel = TestContext.Current.CancellationToken;
        MetricCondition[] conditions =
        [
            new(question.Metric, AtLeast: -2), new(question.Metric, Below: 2), new(question.Metric, Mask: 3), new("no_such_metric", AtLeast: 0),
        ];
        var runs = await reader.RunsAsync([.. conditions.Select(c => new ConditionQuery(c, [.. model.Keys()]))], question.Range, cancel);
        foreach (var (condition, actual) in conditions.Zip(runs))
            Assert.Equal(model.Runs(condition, question.Range).OrderBy(r => r.Key.ToString()), actual.OrderBy(r => r.Key.ToString()));
        Assert.Equal(model.ValueRuns(question.Metric, question.Range), await reader.ValueRunsAsync(question.Metric, question.Range, cancel));
        Assert.Equal(model.Labels(question.Host, question.Gpu), await reader.LabelsAsync(question.Host, question.Gpu, cancel));
        var hours = new List<string>();
        string[] metrics = ["temperature_c", "no_such_metric", "power_w"];
        await reader.GpuHoursAsync(question.Range, metrics, h => hours.Add(NaiveStore.HourText(h.Start, h.Gpu, h.Rows, h.Covered, h.Averages)), cancel);
        Assert.Equal(model.GpuHours(question.Range, metrics), hours.Order(StringComparer.Ordinal));
    }

    private static async Task ComparePagesAsync(TelemetryReader reader, NaiveStore model, RowQuery query)
    {
        var cancel = TestContext.Current.CancellationToken;
        var page = await reader.RowsAsync(query, cancel);
        var (expected, total) = model.Page(query);
        Assert.Equal(total, page.Total);
        Assert.Equal(expected, Plain(page));

        // The pages that follow one another by cursor are all rows, each once.
        var all = new List<(DateTimeOffset, GpuLabels, string)>();
        var next = query with { Skip = 0, CountTotal = false };
        do
        {
            page = await reader.RowsAsync(next, cancel);
            Assert.Equal(-1, page.Total);
            all.AddRange(Plain(page));
            next = next with { After = page.Next };
        }
        while (page.Next is not null);
        Assert.Equal(model.Page(query with { Skip = 0, Limit = int.MaxValue }).Rows, all);
    }

    private static IEnumerable<(DateTimeOffset, GpuLabels, string)> Plain(RowPage page) =>
        page.Rows.Select(r => (r.Timestamp, r.Gpu, NaiveStore.Text(r.Metrics)));

    private static void Same(IReadOnlyList<AggregateGroup> expected, IReadOnlyList<AggregateGroup> actual)
    {
        Assert.Equal(expected.Select(g => (g.HostId, g.GpuId, g.Rows)), actual.Select(g => (g.HostId, g.GpuId, g.Rows)));
        foreach (var (one, other) in expected.Zip(actual))
            Assert.Equal(one.Metrics, other.Metrics);
    }
}
