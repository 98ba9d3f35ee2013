namespace Telemetry.Tests.Gateway;

/// <summary>Each parameter's limits, with the exact texts that users get.</summary>
public sealed class ParameterTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Rows = "/api/v1/telemetry";
    private const string Aggregations = "/api/v1/telemetry/aggregations";
    private const string Series = "/api/v1/telemetry/series";
    private const string Gpu = "host_id=node-a&gpu_id=0&metric=gpu_utilization";
    private const string TimeExpected = "an RFC 3339 time with an offset, such as 2025-07-18T20:42:34Z or 2025-07-18T22:42:34%2B02:00";

    [Theory]
    // Names
    [InlineData($"{Rows}?host=node-a", "host", "host: unknown parameter; known: host_id, gpu_id, start_time, end_time, page, page_size, cursor, metrics")]
    [InlineData($"{Rows}?Host_Id=node-a", "Host_Id", "Host_Id: unknown parameter; known: host_id, gpu_id, start_time, end_time, page, page_size, cursor, metrics")]
    [InlineData("/api/v1/telemetry/hosts?page=1", "page", "page: unknown parameter; this route has none")]
    [InlineData("/api/v1/telemetry/hosts/node-a/gpus?host_id=node-a", "host_id", "host_id: unknown parameter; this route has none")]
    [InlineData("/api/v1/stats/summary?time_range=7d", "time_range", "time_range: unknown parameter; this route has none")]
    [InlineData("/api/v1/pipeline?x", "x", "x: unknown parameter; this route has none")]
    [InlineData("/health?x=1", "x", "x: unknown parameter; this route has none")]
    [InlineData("/api/v1/telemetry/latest?start_time=2025-07-18T20:42:34Z", "start_time", "start_time: unknown parameter; known: host_id, gpu_id")]
    [InlineData($"{Rows}?page=1&page=2", "page", "page: given 2 times; give it once")]
    [InlineData($"{Rows}?host_id=node-a&host_id=node-a", "host_id", "host_id: given 2 times; give it once")]
    // Texts
    [InlineData($"{Rows}?host_id=", "host_id", "host_id: '' is not accepted: expected a text of 1 to 1024 bytes")]
    [InlineData($"{Rows}?gpu_id", "gpu_id", "gpu_id: '' is not accepted: expected a text of 1 to 1024 bytes")]
    // Numbers
    [InlineData($"{Rows}?page=0", "page", "page: '0' is not accepted: expected a whole number from 1 to 100000")]
    [InlineData($"{Rows}?page=-1", "page", "page: '-1' is not accepted: expected a whole number from 1 to 100000")]
    [InlineData($"{Rows}?page=one", "page", "page: 'one' is not accepted: expected a whole number from 1 to 100000")]
    [InlineData($"{Rows}?page=99999999999999999999", "page", "page: '99999999999999999999' is not accepted: expected a whole number from 1 to 100000")]
    [InlineData($"{Rows}?page_size=0", "page_size", "page_size: '0' is not accepted: expected a whole number from 1 to 1000")]
    [InlineData($"{Rows}?page_size=1001", "page_size", "page_size: '1001' is not accepted: expected a whole number from 1 to 1000")]
    [InlineData($"{Rows}?page_size=1.5", "page_size", "page_size: '1.5' is not accepted: expected a whole number from 1 to 1000")]
    [InlineData($"{Rows}?page_size=1e2", "page_size", "page_size: '1e2' is not accepted: expected a whole number from 1 to 1000")]
    // Times
    [InlineData($"{Rows}?start_time=yesterday", "start_time", $"start_time: 'yesterday' is not accepted: expected {TimeExpected}")]
    [InlineData($"{Rows}?start_time=2025-07-18T20:42:34", "start_time", $"start_time: '2025-07-18T20:42:34' is not accepted: expected {TimeExpected}")]
    [InlineData($"{Rows}?end_time=2025-02-30T00:00:00Z", "end_time", $"end_time: '2025-02-30T00:00:00Z' is not accepted: expected {TimeExpected}")]
    [InlineData($"{Rows}?end_time=1752871354", "end_time", $"end_time: '1752871354' is not accepted: expected {TimeExpected}")]
    [InlineData($"{Rows}?start_time=2025-07-18T20:42:34Z&end_time=2025-07-18T20:42:34Z", "start_time", "start_time: is not before end_time; the range is [start_time, end_time)")]
    [InlineData($"{Rows}?start_time=2025-07-18T20:42:34Z&end_time=2025-07-18T22:42:33%2B02:00", "start_time", "start_time: is not before end_time; the range is [start_time, end_time)")]
    // Cursor
    [InlineData($"{Rows}?cursor=abc", "cursor", "cursor: is not a next_cursor of this query: begin again without it, and keep the other parameters as they are from page to page")]
    // Metrics
    [InlineData($"{Rows}?metrics=gpu_util", "metrics", "metrics: 'gpu_util' is no metric in the store; near it: gpu_utilization")]
    [InlineData($"{Rows}?metrics=power_w,temperatur", "metrics", "metrics: 'temperatur' is no metric in the store; near it: temperature_c")]
    [InlineData($"{Rows}?metrics=power_w,", "metrics", "metrics: 'power_w,' is not accepted: expected 1 to 100 names, separated by commas, each once")]
    [InlineData($"{Rows}?metrics=power_w,power_w", "metrics", "metrics: 'power_w,power_w' is not accepted: expected 1 to 100 names, separated by commas, each once")]
    [InlineData($"{Rows}?metrics=memory_usd_mb", "metrics", "metrics: 'memory_usd_mb' is no metric in the store; near it: memory_used_mb, memory_free_mb")]
    // Choices
    [InlineData($"{Aggregations}?group_by=host", "group_by", "group_by: 'host' is not accepted: expected one of host_id, gpu_id")]
    [InlineData($"{Aggregations}?time_range=2h", "time_range", "time_range: '2h' is not accepted: expected one of 1h, 24h, 7d")]
    [InlineData($"{Aggregations}?time_range=1h&start_time=2025-07-18T20:42:34Z", "time_range", "time_range: is not possible together with start_time or end_time; give one or the other")]
    [InlineData($"{Aggregations}?time_range=1h&end_time=2025-07-18T20:42:34Z", "time_range", "time_range: is not possible together with start_time or end_time; give one or the other")]
    [InlineData($"{Aggregations}?start_time=2025-07-18T21:00:01Z", "start_time", "start_time: is not before now; without end_time the range ends now")]
    [InlineData($"{Aggregations}?start_time=2015-01-01T00:00:00Z", "start_time", "start_time: is more than 3660 days before the end of the range; ask for a shorter one")]
    [InlineData($"{Aggregations}?metrics=nope_nope", "metrics", "metrics: 'nope_nope' is no metric in the store; known: gpu_utilization, memory_free_mb, memory_used_mb, power_w, temperature_c")]
    // Series
    [InlineData(Series, "host_id", "host_id: is missing: expected a text of 1 to 1024 bytes")]
    [InlineData($"{Series}?host_id=node-a", "gpu_id", "gpu_id: is missing: expected a text of 1 to 1024 bytes")]
    [InlineData($"{Series}?host_id=node-a&gpu_id=0", "metric", "metric: is missing: expected a text of 1 to 1024 bytes")]
    [InlineData($"{Series}?host_id=node-a&gpu_id=0&metric=gpu", "metric", "metric: 'gpu' is no metric in the store; near it: gpu_utilization")]
    [InlineData($"{Series}?{Gpu}&step=0s", "step", "step: '0s' is not accepted: expected whole seconds as a duration such as 30s, 5m or 1h, from 1s to 30d")]
    [InlineData($"{Series}?{Gpu}&step=1500ms", "step", "step: '1500ms' is not accepted: expected whole seconds as a duration such as 30s, 5m or 1h, from 1s to 30d")]
    [InlineData($"{Series}?{Gpu}&step=31d", "step", "step: '31d' is not accepted: expected whole seconds as a duration such as 30s, 5m or 1h, from 1s to 30d")]
    [InlineData($"{Series}?{Gpu}&step=NaNs", "step", "step: 'NaNs' is not accepted: expected whole seconds as a duration such as 30s, 5m or 1h, from 1s to 30d")]
    [InlineData($"{Series}?{Gpu}&time_range=24h&step=1s", "step", "step: 1s makes 86400 steps of this range, and at most 11000 are possible: use 8s or longer")]
    public async Task A_wrong_parameter_is_refused_by_name(string path, string parameter, string detail)
    {
        var problem = await fleet.Server.GetProblemAsync(path, 400);
        Assert.Equal(detail, problem.GetProperty("detail").GetString());
        Assert.Equal(parameter, problem.GetProperty("parameter").GetString());
        Assert.Equal("urn:telemetry:problem:invalid-parameter", problem.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData($"{Rows}?page_size=1")]
    [InlineData($"{Rows}?page_size=1000")]
    [InlineData($"{Rows}?start_time=0001-01-01T00:00:00Z&end_time=9999-12-31T23:59:59.999Z")]
    [InlineData($"{Aggregations}?time_range=7d")]
    [InlineData($"{Aggregations}?start_time=2015-07-18T21:00:00Z&end_time=2025-07-18T21:00:00Z")]
    [InlineData($"{Series}?{Gpu}&time_range=24h&step=8s")]
    [InlineData($"{Series}?{Gpu}&step=30d")]
    public async Task A_parameter_at_its_limit_is_accepted(string path) => await fleet.Server.GetAsync(path);

    [Fact]
    public async Task A_text_beyond_its_length_is_refused_and_quoted_in_part()
    {
        await fleet.Server.GetProblemAsync($"{Rows}?host_id={new string('a', 1024)}", 404);
        var problem = await fleet.Server.GetProblemAsync($"{Rows}?host_id={new string('a', 1025)}", 400);
        Assert.Equal($"host_id: '{new string('a', 200)}…' is not accepted: expected a text of 1 to 1024 bytes", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_list_of_more_metrics_than_100_is_refused()
    {
        var names = string.Join(',', Enumerable.Range(0, 101).Select(i => $"m{i}"));
        var problem = await fleet.Server.GetProblemAsync($"{Rows}?metrics={names}", 400);
        Assert.Equal("metrics", problem.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Control_characters_do_not_come_back_in_an_error()
    {
        var problem = await fleet.Server.GetProblemAsync($"{Rows}?page=%0d%0aSet-Cookie:x%00%1b", 400);
        Assert.Equal("page: '??Set-Cookie:x??' is not accepted: expected a whole number from 1 to 100000", problem.GetProperty("detail").GetString());
    }
}
