using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Telemetry.Tests.Gateway;

public sealed class AggregationsTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Route = "/api/v1/telemetry/aggregations";

    [Fact]
    public async Task By_default_the_last_hour_is_grouped_by_host()
    {
        var answer = await fleet.Server.GetAsync(Route);
        Assert.Equal("host_id", answer.GetProperty("group_by").GetString());
        Assert.Equal("2025-07-18T20:00:00Z", answer.GetProperty("start_time").GetString());
        Assert.Equal("2025-07-18T21:00:00.001Z", answer.GetProperty("end_time").GetString());
        Assert.Equal(2, answer.GetProperty("total").GetInt32());

        var first = answer.GetProperty("data")[0];
        Assert.Equal("node-a", first.GetProperty("host_id").GetString());
        Assert.False(first.TryGetProperty("gpu_id", out _));
        Assert.Equal(2 * FleetFixture.RowsPerGpu, first.GetProperty("rows").GetInt64());
        Assert.Equal("""{"count":60,"avg":300.5,"min":300.5,"max":300.5,"last":300.5}""", first.GetProperty("metrics").GetProperty("power_w").GetRawText());
        Assert.Equal(120, first.GetProperty("metrics").GetProperty("gpu_utilization").GetProperty("count").GetInt64());
        Assert.False(first.GetProperty("metrics").TryGetProperty("temperature_c", out _));
    }

    [Fact]
    public async Task By_gpu_each_gpu_has_its_own_numbers()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?group_by=gpu_id&time_range=24h&metrics=gpu_utilization,temperature_c");
        var data = answer.GetProperty("data");
        Assert.Equal(["node-a/0", "node-a/1", "node-b/0"], data.EnumerateArray().Select(g => $"{g.GetProperty("host_id")}/{g.GetProperty("gpu_id")}"));
        Assert.Equal("""{"gpu_utilization":{"count":60,"avg":29.5,"min":0,"max":59,"last":59}}""", data[0].GetProperty("metrics").GetRawText());
        Assert.Equal("""{"gpu_utilization":{"count":60,"avg":2,"min":2,"max":2,"last":2}}""", data[1].GetProperty("metrics").GetRawText());
        Assert.Equal("""{"temperature_c":{"count":48,"avg":30.5,"min":30,"max":31,"last":31}}""", data[2].GetProperty("metrics").GetRawText());
    }

    [Fact]
    public async Task A_range_has_its_start_and_not_its_end()
    {
        var answer = await fleet.Server.GetAsync(
            $"{Route}?group_by=gpu_id&host_id=node-a&gpu_id=0&metrics=gpu_utilization&start_time=2025-07-18T20:50:10Z&end_time=2025-07-18T20:50:40Z");
        var group = Assert.Single(answer.GetProperty("data").EnumerateArray());
        Assert.Equal("""{"count":3,"avg":2,"min":1,"max":3,"last":3}""", group.GetProperty("metrics").GetProperty("gpu_utilization").GetRawText());
        Assert.Equal("2025-07-18T20:50:10Z", answer.GetProperty("start_time").GetString());
        Assert.Equal("2025-07-18T20:50:40Z", answer.GetProperty("end_time").GetString());
    }

    [Fact]
    public async Task An_end_alone_means_the_hour_before_it_and_a_start_alone_until_now()
    {
        var end = await fleet.Server.GetAsync($"{Route}?end_time=2025-07-18T20:50:10Z");
        Assert.Equal("2025-07-18T19:50:10Z", end.GetProperty("start_time").GetString());
        Assert.Equal(2, end.GetProperty("data")[0].GetProperty("rows").GetInt64());

        var start = await fleet.Server.GetAsync($"{Route}?start_time=2025-07-18T20:59:50Z");
        Assert.Equal("2025-07-18T21:00:00.001Z", start.GetProperty("end_time").GetString());
        Assert.Equal("node-a", Assert.Single(start.GetProperty("data").EnumerateArray()).GetProperty("host_id").GetString());
    }

    [Fact]
    public async Task A_range_without_records_has_no_groups()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?start_time=2024-01-01T00:00:00Z&end_time=2024-01-02T00:00:00Z");
        Assert.Equal(0, answer.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task Unknown_hosts_and_gpus_are_404()
    {
        await fleet.Server.GetProblemAsync($"{Route}?host_id=node-z", 404);
        await fleet.Server.GetProblemAsync($"{Route}?host_id=node-a&gpu_id=9", 404);
    }

    [Fact]
    public async Task A_sum_beyond_a_double_has_no_average_and_is_still_answered()
    {
        using var file = new StoreFile();
        file.Write(
            FleetFixture.Record(FleetFixture.Now.AddSeconds(-2), FleetFixture.Busy, ("energy_mj", 1.5e308)),
            FleetFixture.Record(FleetFixture.Now.AddSeconds(-1), FleetFixture.Busy, ("energy_mj", 1.5e308)));
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path }, new FakeTimeProvider(FleetFixture.Now));

        foreach (var path in new[] { Route, "/api/v1/stats/summary" })
        {
            var answer = await server.GetAsync(path);
            var metrics = answer.TryGetProperty("metrics", out var all) ? all : answer.GetProperty("data")[0].GetProperty("metrics");
            Assert.Equal(JsonValueKind.Null, metrics.GetProperty("energy_mj").GetProperty("avg").ValueKind);
            Assert.Equal(1.5e308, metrics.GetProperty("energy_mj").GetProperty("max").GetDouble());
        }
    }
}
