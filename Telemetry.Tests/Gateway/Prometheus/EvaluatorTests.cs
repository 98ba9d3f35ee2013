using Telemetry.Gateway.Prometheus.Evaluation;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>What a query may use, and how it ends.</summary>
public sealed class EvaluatorTests : IDisposable
{
    private readonly StoreFile _file = new();
    private readonly TelemetryReader _reader;

    public EvaluatorTests()
    {
        _file.Write([.. Enumerable.Range(0, 100).SelectMany(i => Enumerable.Range(0, 4).Select(gpu =>
            FleetFixture.Record(FleetFixture.First.AddSeconds(i), FleetFixture.Busy with { GpuId = $"{gpu}" }, ("power_w", i + gpu))))]);
        _reader = new TelemetryReader(_file.Path);
    }

    [Theory]
    [InlineData("sum(power_w)", 400, 33, null)]
    [InlineData("sum(power_w)", 399, 33, "reads more than 399 samples")]
    [InlineData("sum(power_w)", 400, 32, "keeps more than 32 points")]
    [InlineData("power_w", 400, 44, null)]
    [InlineData("power_w", 400, 43, "keeps more than 43 points")]
    [InlineData("power_w{gpu_id=\"3\"}", 100, 11, null)]
    [InlineData("topk(1, power_w)", 400, 43, "keeps more than 43 points")]
    [InlineData("power_w + power_w", 800, 80, "keeps more than 80 points")]
    [InlineData("power_w and power_w", 800, 80, "keeps more than 80 points")]
    public async Task Samples_that_are_read_and_points_that_are_kept_are_bounded(string query, long samples, long points, string? expected)
    {
        // Eleven steps. A sum keeps its one group twice, with what rounding took from it, and the result.
        var evaluation = EvaluateAsync(query, new Budget(samples, points), TestContext.Current.CancellationToken);
        if (expected is null)
            Assert.NotEmpty(await evaluation);
        else
            Assert.Contains(expected, (await Assert.ThrowsAsync<PromQlException>(() => evaluation)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sum(abs({__name__=~\"power_w|DCGM_FI_DEV_POWER_USAGE\", device=\"nvidia0\"}))", false)]
    [InlineData("sum(abs({__name__=~\"power_w|temperature_c\"}))", true)]
    [InlineData("count(rate({__name__=~\"power_w|temperature_c\"}[1m]))", true)]
    [InlineData("sum({__name__=~\"power_w|temperature_c\"} * 2)", true)]
    [InlineData("sum({__name__=~\"power_w|temperature_c\"})", false)]
    public async Task Series_that_only_their_names_tell_apart_cannot_lose_them(string query, bool isError)
    {
        _file.Write([.. Enumerable.Range(0, 100).Select(i => FleetFixture.Record(FleetFixture.First.AddSeconds(i), FleetFixture.Busy with { GpuId = "9" }, ("power_w", 300), ("temperature_c", 60)))]);
        var evaluation = EvaluateAsync(query, new Budget(10_000, 10_000), TestContext.Current.CancellationToken);
        if (isError)
            Assert.Contains("same labelset", (await Assert.ThrowsAsync<PromQlException>(() => evaluation)).Message, StringComparison.Ordinal);
        else
            Assert.NotEmpty(await evaluation);
    }

    [Theory]
    [InlineData("(power_w > 1e6) + on (host_id) power_w", false)]
    [InlineData("power_w{gpu_id=\"0\"} + on (host_id) power_w", true)]
    [InlineData("power_w + on (host_id) power_w{gpu_id=\"0\"}", true)]
    public async Task Two_on_the_right_are_an_error_only_where_there_is_something_on_the_left(string query, bool isError)
    {
        var evaluation = EvaluateAsync(query, new Budget(1_000, 1_000), TestContext.Current.CancellationToken);
        if (isError)
            Assert.Contains("many-to-many", (await Assert.ThrowsAsync<PromQlException>(() => evaluation)).Message, StringComparison.Ordinal);
        else
            Assert.Empty(await evaluation);
    }

    [Fact]
    public async Task Decoding_and_computing_stop_when_the_client_leaves()
    {
        using var gone = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _reader.SamplesAsync(0, samples =>
        {
            var evaluator = new Evaluator(samples, Steps, new Budget(1_000, 1_000));
            using var series = evaluator.Vector(Parser.Parse("max_over_time(power_w[1m])")).GetEnumerator();
            Assert.True(series.MoveNext());
            gone.Cancel();
            while (series.MoveNext())
            {
            }
            return 0;
        }, gone.Token));
    }

    [Fact]
    public async Task An_aggregation_does_not_wait_for_all_series_to_be_read()
    {
        var order = await _reader.SamplesAsync<IReadOnlyList<string>>([], samples =>
        {
            var evaluator = new Evaluator(samples, Steps, new Budget(1_000, 1_000));
            return [.. evaluator.Vector(Parser.Parse("-abs(power_w * 2) > bool 3")).Take(1).Select(s => s.Labels["gpu_id"])];
        }, TestContext.Current.CancellationToken);
        Assert.Equal("0", Assert.Single(order));
    }

    public void Dispose()
    {
        _reader.Dispose();
        _file.Dispose();
    }

    private static Steps Steps
    {
        get
        {
            var start = FleetFixture.First.AddSeconds(100).ToUnixTimeMilliseconds();
            return new Steps(start, 1_000, 11, start + 10_000);
        }
    }

    private Task<IReadOnlyList<Series>> EvaluateAsync(string query, Budget budget, CancellationToken cancellationToken) =>
        _reader.SamplesAsync<IReadOnlyList<Series>>([], samples => new Evaluator(samples, Steps, budget).Collect(Parser.Parse(query)), cancellationToken);
}
