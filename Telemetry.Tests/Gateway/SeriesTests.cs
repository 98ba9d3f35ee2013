namespace Telemetry.Tests.Gateway;

public sealed class SeriesTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Route = "/api/v1/telemetry/series";

    [Fact]
    public async Task Steps_begin_at_the_start_of_the_range()
    {
        var answer = await fleet.Server.GetAsync(
            $"{Route}?host_id=node-a&gpu_id=0&metric=gpu_utilization&start_time=2025-07-18T20:50:05Z&end_time=2025-07-18T20:52:00Z&step=30s");
        Assert.Equal(30, answer.GetProperty("step_seconds").GetDouble());
        Assert.Equal("gpu_utilization", answer.GetProperty("metric").GetString());
        Assert.Equal("2025-07-18T20:50:05Z", answer.GetProperty("start_time").GetString());
        Assert.Equal(
            """
            [{"timestamp":"2025-07-18T20:50:05Z","count":3,"avg":2,"min":1,"max":3,"last":3},{"timestamp":"2025-07-18T20:50:35Z","count":3,"avg":5,"min":4,"max":6,"last":6},{"timestamp":"2025-07-18T20:51:05Z","count":3,"avg":8,"min":7,"max":9,"last":9},{"timestamp":"2025-07-18T20:51:35Z","count":2,"avg":10.5,"min":10,"max":11,"last":11}]
            """,
            answer.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_gap_is_a_gap()
    {
        // node-b/0 stopped at 20:57:50.
        var answer = await fleet.Server.GetAsync(
            $"{Route}?host_id=node-b&gpu_id=0&metric=temperature_c&start_time=2025-07-18T20:45:00Z&end_time=2025-07-18T21:00:00Z&step=1m");
        Assert.Equal(
            Enumerable.Range(50, 8).Select(m => $"2025-07-18T20:{m}:00Z"),
            answer.GetProperty("data").EnumerateArray().Select(p => p.GetProperty("timestamp").GetString()));
    }

    [Theory]
    [InlineData("time_range=1h", 10)]
    [InlineData("", 10)]
    [InlineData("time_range=24h", 300)]
    [InlineData("time_range=7d", 1800)]
    [InlineData("start_time=2025-07-18T20:59:00Z", 1)]
    [InlineData("start_time=2016-07-18T20:59:00Z", 14 * 86_400)]
    public async Task Without_a_step_a_round_one_is_chosen(string range, double seconds)
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&gpu_id=0&metric=power_w&{range}");
        Assert.Equal(seconds, answer.GetProperty("step_seconds").GetDouble());
        Assert.True(answer.GetProperty("data").GetArrayLength() <= 361);
        Assert.Equal(
            answer.GetProperty("data").GetArrayLength() == 0 ? 0 : seconds == 1 ? 6 : 60,
            answer.GetProperty("data").EnumerateArray().Sum(p => p.GetProperty("count").GetInt64()));
    }

    [Fact]
    public async Task A_metric_that_the_gpu_does_not_have_is_an_empty_series()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&gpu_id=0&metric=temperature_c");
        Assert.Equal(0, answer.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task Unknown_hosts_and_gpus_are_404()
    {
        await fleet.Server.GetProblemAsync($"{Route}?host_id=node-z&gpu_id=0&metric=power_w", 404);
        var gpu = await fleet.Server.GetProblemAsync($"{Route}?host_id=node-b&gpu_id=1&metric=power_w", 404);
        Assert.Equal("gpu_id", gpu.GetProperty("parameter").GetString());
    }
}
