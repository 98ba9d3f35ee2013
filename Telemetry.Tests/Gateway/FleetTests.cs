using Telemetry.Gateway.Fleet;

namespace Telemetry.Tests.Gateway;

public sealed class FleetTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    [Fact]
    public async Task Latest_has_the_newest_record_of_each_gpu_with_its_age_and_state()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/telemetry/latest");
        Assert.Equal(3, answer.GetProperty("total").GetInt32());
        Assert.Equal(
            ["node-a/0 10 active", "node-a/1 10 idle_held", "node-b/0 130 lost"],
            answer.GetProperty("data").EnumerateArray().Select(r => $"{r.GetProperty("host_id")}/{r.GetProperty("gpu_id")} {r.GetProperty("age_seconds")} {r.GetProperty("state")}"));
        Assert.Equal(59, answer.GetProperty("data")[0].GetProperty("metrics").GetProperty("gpu_utilization").GetDouble());
        Assert.Equal("2025-07-18T20:57:50Z", answer.GetProperty("data")[2].GetProperty("timestamp").GetString());
    }

    [Fact]
    public async Task Latest_can_be_of_one_host_or_gpu()
    {
        Assert.Equal(2, (await fleet.Server.GetAsync("/api/v1/telemetry/latest?host_id=node-a")).GetProperty("total").GetInt32());
        Assert.Equal(1, (await fleet.Server.GetAsync("/api/v1/telemetry/latest?host_id=node-a&gpu_id=1")).GetProperty("total").GetInt32());
        Assert.Equal(2, (await fleet.Server.GetAsync("/api/v1/telemetry/latest?gpu_id=0")).GetProperty("total").GetInt32());
        await fleet.Server.GetProblemAsync("/api/v1/telemetry/latest?host_id=node-z", 404);
        await fleet.Server.GetProblemAsync("/api/v1/telemetry/latest?host_id=node-a&gpu_id=2", 404);
    }

    [Fact]
    public async Task The_summary_is_of_the_last_day()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/stats/summary");
        Assert.Equal("2025-07-17T21:00:00Z", answer.GetProperty("start_time").GetString());
        Assert.Equal("2025-07-18T21:00:00.001Z", answer.GetProperty("end_time").GetString());
        Assert.Equal(2, answer.GetProperty("hosts").GetInt64());
        Assert.Equal(3, answer.GetProperty("gpus").GetInt64());
        Assert.Equal(FleetFixture.Rows, answer.GetProperty("rows").GetInt64());
        Assert.Equal("""{"count":48,"avg":30.5,"min":30,"max":31}""", answer.GetProperty("metrics").GetProperty("temperature_c").GetRawText());
        Assert.Equal(59, answer.GetProperty("metrics").GetProperty("gpu_utilization").GetProperty("max").GetDouble());
        Assert.Equal((29.5 + 2) / 2, answer.GetProperty("metrics").GetProperty("gpu_utilization").GetProperty("avg").GetDouble());
        // 168 of 180: node-b/0 stopped for two of its ten minutes.
        Assert.Equal(0.9333, answer.GetProperty("completeness").GetDouble(), 0.006);
    }

    [Fact]
    public async Task Completeness_is_told_for_each_gpu_and_hour()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/stats/completeness?time_range=1h");
        Assert.Equal(
            ["node-a/0 10 2025-07-18T20:00:00Z 60 60 1", "node-a/1 10 2025-07-18T20:00:00Z 60 60 1", "node-b/0 10 2025-07-18T20:00:00Z 48 60 0.8"],
            answer.GetProperty("data").EnumerateArray().Select(g => $"{g.GetProperty("host_id")}/{g.GetProperty("gpu_id")} {g.GetProperty("interval_seconds")} "
                + string.Join(' ', g.GetProperty("hours")[0].EnumerateObject().Select(p => p.Value))));
        Assert.Equal(1, (await fleet.Server.GetAsync("/api/v1/stats/completeness?host_id=node-b")).GetProperty("total").GetInt32());
        await fleet.Server.GetProblemAsync("/api/v1/stats/completeness?host_id=node-z", 404);
        var problem = await fleet.Server.GetProblemAsync("/api/v1/stats/completeness?start_time=2016-01-01T00:00:00Z", 400);
        Assert.Contains("give host_id", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GpuState.Active, "gpu_utilization", 5.0)]
    [InlineData(GpuState.Idle, "gpu_utilization", 4.9)]
    [InlineData(GpuState.Unknown, "temperature_c", 40.0)]
    [InlineData(GpuState.Unknown, "memory_used_mb", 40_000.0)]
    [InlineData(GpuState.Active, "gr_engine_active", 0.05)]
    [InlineData(GpuState.Idle, "gr_engine_active", 0.049)]
    [InlineData(GpuState.Idle, "gr_engine_active", 0.01, "gpu_utilization", 100.0)] // the better signal rules
    [InlineData(GpuState.Idle, "gpu_utilization", 0.0, "memory_used_mb", 1024.0)]
    [InlineData(GpuState.IdleHeld, "gpu_utilization", 0.0, "memory_used_mb", 1025.0)]
    [InlineData(GpuState.IdleHeld, "gpu_utilization", 0.0, "memory_used_mb", 330.0, "memory_free_mb", 16_000.0)]
    [InlineData(GpuState.Idle, "gpu_utilization", 0.0, "memory_used_mb", 300.0, "memory_free_mb", 16_000.0)]
    [InlineData(GpuState.Active, "gpu_utilization", 50.0, "memory_used_mb", 40_000.0)]
    public void The_state_goes_by_documented_thresholds(GpuState expected, params object[] metrics)
    {
        var values = metrics.Chunk(2).ToDictionary(m => (string)m[0], m => (double)m[1], StringComparer.Ordinal);
        Assert.Equal(expected, GpuStates.Of(FleetRules.Default, values, TimeSpan.FromSeconds(60)));
        Assert.Equal(GpuState.Lost, GpuStates.Of(FleetRules.Default, values, TimeSpan.FromSeconds(60.001)));
    }
}
