using CsCheck;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

/// <summary>Samples series by series, held against a plain list of all rows.</summary>
public sealed class SampleReaderTests
{
    private static readonly string[] Metrics = ["power_w", "temperature_c"];

    private static readonly Gen<ModelRow> Row = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 1], Gen.Int[8, 10], Gen.Bool, Gen.Int[-40, 40], Gen.Int[0, 2], (step, host, gpu, pod, value, metrics) => new ModelRow(
        step * 250_000, StoreFixture.Gpu($"h{host}", $"{gpu}", pod ? "job" : ""), Metrics.Where((_, i) => metrics != i).ToDictionary(m => m, m => value / 4.0)));

    private static readonly Gen<(ModelRow[] Rows, int Deed)[]> Batches = Gen.Select(Row.Array[1, 15], Gen.Int[0, 3]).Array[1, 6];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Samples_are_those_of_a_plain_list_before_and_after_folding() =>
        await Gen.Select(Batches, Gen.Int[-10_000, 11_000_000], Gen.Int[1, 11_000_000], Gen.Int[0, 2], Gen.Int[7, 10])
            .SampleAsync(async (batches, from, length, host, gpu) =>
            {
                using var fixture = new StoreFixture(new TelemetryStoreOptions { BlockRowsMax = 5, BlockSmallRows = 2 });
                using var reader = fixture.Reader();
                var start = StoreFixture.Epoch.ToUnixTimeMilliseconds() + from;
                var model = new List<ModelRow>();
                foreach (var (rows, deed) in batches)
                {
                    ModelRow[] written = [.. rows.Select(r => r with { Time = r.Time + StoreFixture.Epoch.ToUnixTimeMilliseconds() })];
                    fixture.Write(written);
                    model.AddRange(written);
                    Do(fixture, deed);
                    await CompareAsync(reader, model, start, start + length, host == 2 ? null : $"h{host}", gpu == 7 ? null : $"{gpu}");
                }
                Do(fixture, 3);
                await CompareAsync(reader, model, start, start + length, null, null);
            }, iter: 200, threads: 1);

    [Fact]
    public async Task Of_hours_whose_records_have_left_the_newest_value_of_each_minute_stays()
    {
        using var fixture = new StoreFixture();
        using var reader = fixture.Reader();
        fixture.Write([.. Enumerable.Range(0, 300).Select(i => StoreFixture.Row(i, value: i))]);
        Do(fixture, 3);
        while (fixture.Store.Retain(new RetentionCutoffs(StoreFixture.Epoch.AddDays(2), StoreFixture.Epoch.AddDays(2), default)).HasMore)
        {
        }
        fixture.Write(StoreFixture.Row(301, value: 1_000)); // a late one, which is kept as it is
        var epoch = StoreFixture.Epoch.ToUnixTimeMilliseconds();
        var samples = await SamplesAsync(reader, "power_w", epoch, epoch + 3_600_000, null, null);
        Assert.Equal(
            [(epoch + 59_000, 59.0), (epoch + 119_000, 119.0), (epoch + 179_000, 179.0), (epoch + 239_000, 239.0), (epoch + 299_000, 299.0), (epoch + 301_000, 1_000.0)],
            Assert.Single(samples).Value);
    }

    [Fact]
    public async Task A_store_that_is_not_there_has_no_samples()
    {
        using var reader = new TelemetryReader(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("n"), "telemetry.db"));
        Assert.Equal("none", await reader.SamplesAsync("none", _ => "some", Cancelled));
    }

    // 0: nothing, 1: fold, 2: fold some, 3: fold, merge and remove what is plain.
    private static void Do(StoreFixture fixture, int deed)
    {
        while (deed is 1 or 3 && fixture.Store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        if (deed == 2)
            fixture.Store.Fold(TimeSpan.Zero, rowsMax: 7);
        while (deed == 3 && fixture.Store.Merge(TimeSpan.FromHours(-20)).HasMore)
        {
        }
        while (deed == 3 && fixture.Store.Retain(new RetentionCutoffs(StoreFixture.Epoch.AddDays(2), default, default)).HasMore)
        {
        }
    }

    private static async Task CompareAsync(TelemetryReader reader, List<ModelRow> model, long start, long end, string? host, string? gpu)
    {
        foreach (var metric in Metrics)
        {
            // Of equal times the one written last counts.
            var expected = model.Where(r => r.Time >= start && r.Time < end && r.Values.ContainsKey(metric) && (host ?? r.Gpu.HostId) == r.Gpu.HostId && (gpu ?? r.Gpu.GpuId) == r.Gpu.GpuId)
                .GroupBy(r => r.Gpu)
                .ToDictionary(g => g.Key, g => g.GroupBy(r => r.Time).OrderBy(t => t.Key).Select(t => (t.Key, t.Last().Values[metric])).ToList());
            var actual = await SamplesAsync(reader, metric, start, end, host, gpu);
            Assert.Equal(expected.Keys.ToHashSet(), actual.Keys.ToHashSet());
            Assert.All(expected, series => Assert.Equal(series.Value, actual[series.Key]));

            var known = await reader.SamplesAsync<Dictionary<GpuLabels, IReadOnlySet<string>>>([], samples =>
            {
                var series = samples.Series(host, gpu, start, end);
                var found = samples.MetricsOf(series, [metric], start, end);
                return series.ToDictionary(s => s.Labels, s => found[s.Id]);
            }, Cancelled);
            // To the hour: more than those with samples in the range, never fewer.
            Assert.Superset(expected.Keys.ToHashSet(), known.Where(k => k.Value.Contains(metric)).Select(k => k.Key).ToHashSet());
            Assert.All(known.Where(k => k.Value.Contains(metric)), k => Assert.Contains(model, r => r.Gpu == k.Key && r.Values.ContainsKey(metric)));
        }
    }

    private static Task<Dictionary<GpuLabels, List<(long, double)>>> SamplesAsync(TelemetryReader reader, string metric, long start, long end, string? host, string? gpu) =>
        reader.SamplesAsync<Dictionary<GpuLabels, List<(long, double)>>>([], samples =>
        {
            var into = new SampleList();
            var all = new Dictionary<GpuLabels, List<(long, double)>>();
            var selection = samples.Select(metric, host, gpu, start, end);
            foreach (var series in selection.Series)
            {
                selection.Read(series, into);
                if (into.Count > 0)
                    all.Add(series.Labels, [.. into.TimesUnixMs.ToArray().Zip(into.Values.ToArray())]);
            }
            return all;
        }, Cancelled);
}
