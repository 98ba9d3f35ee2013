using System.Text.Json;

namespace Telemetry.Tests.Gateway;

public sealed class RecordsTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Route = "/api/v1/telemetry";

    [Fact]
    public async Task Records_come_newest_first_with_flat_identity_and_their_metrics()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&gpu_id=0&page_size=2");

        var data = answer.GetProperty("data");
        Assert.Equal(2, data.GetArrayLength());
        Assert.Equal(
            """{"timestamp":"2025-07-18T20:59:50Z","host_id":"node-a","gpu_id":"0","uuid":"GPU-a0","model":"NVIDIA H100","device":"nvidia0","pod":"train-0","namespace":"research","container":"trainer","metrics":{"gpu_utilization":59,"memory_used_mb":40000,"power_w":300.5}}""",
            data[0].GetRawText());
        Assert.Equal("2025-07-18T20:59:40Z", data[1].GetProperty("timestamp").GetString());
    }

    [Fact]
    public async Task Unknown_labels_are_null_and_absent_metrics_are_absent()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-b&page_size=1");

        Assert.Equal(
            """{"timestamp":"2025-07-18T20:57:50Z","host_id":"node-b","gpu_id":"0","uuid":null,"model":null,"device":null,"pod":null,"namespace":null,"container":null,"metrics":{"temperature_c":31}}""",
            answer.GetProperty("data")[0].GetRawText());
    }

    [Fact]
    public async Task Pagination_tells_totals_pages_and_where_to_go_on()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?page=2&page_size=50");

        var page = answer.GetProperty("pagination");
        Assert.Equal(2, page.GetProperty("page").GetInt32());
        Assert.Equal(50, page.GetProperty("page_size").GetInt32());
        Assert.Equal(FleetFixture.Rows, page.GetProperty("total").GetInt64());
        Assert.Equal(4, page.GetProperty("total_pages").GetInt64());
        Assert.True(page.GetProperty("has_next").GetBoolean());
        Assert.NotNull(page.GetProperty("next_cursor").GetString());
    }

    [Fact]
    public async Task The_default_is_page_1_of_100_records()
    {
        var answer = await fleet.Server.GetAsync(Route);
        Assert.Equal(100, answer.GetProperty("data").GetArrayLength());
        Assert.Equal(1, answer.GetProperty("pagination").GetProperty("page").GetInt32());
        Assert.Equal(100, answer.GetProperty("pagination").GetProperty("page_size").GetInt32());
    }

    [Fact]
    public async Task The_last_page_has_the_rest_and_no_next()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?page=4&page_size=50");
        Assert.Equal(FleetFixture.Rows - 150, answer.GetProperty("data").GetArrayLength());
        Assert.False(answer.GetProperty("pagination").GetProperty("has_next").GetBoolean());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("pagination").GetProperty("next_cursor").ValueKind);
    }

    [Fact]
    public async Task A_page_after_the_last_is_empty()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?page=5&page_size=50");
        Assert.Equal(0, answer.GetProperty("data").GetArrayLength());
        Assert.Equal(FleetFixture.Rows, answer.GetProperty("pagination").GetProperty("total").GetInt64());
    }

    [Theory]
    [InlineData("2025-07-18T20:59:40Z", "2025-07-18T20:59:50Z", 1)]
    [InlineData("2025-07-18T22:59:40%2B02:00", "2025-07-18T15:59:50-05:00", 1)]
    [InlineData("2025-07-18T22:59:40+02:00", "2025-07-18T20:59:50Z", 1)] // the plus arrives as a space
    [InlineData("2025-07-18t20:59:40z", "2025-07-18T20:59:50.001Z", 2)]
    [InlineData("2025-07-18T20:59:40.0001Z", "2025-07-18T20:59:50.0001Z", 1)] // parts of a millisecond count
    public async Task A_range_has_its_start_and_not_its_end_with_any_offset(string start, string end, int rows)
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&gpu_id=0&start_time={start}&end_time={end}");
        Assert.Equal(rows, answer.GetProperty("data").GetArrayLength());
        Assert.Equal(rows, answer.GetProperty("pagination").GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task Only_the_metrics_asked_for_come_back()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&gpu_id=0&metrics=power_w,temperature_c&page_size=1");
        Assert.Equal("""{"power_w":300.5}""", answer.GetProperty("data")[0].GetProperty("metrics").GetRawText());
    }

    [Fact]
    public async Task A_gpu_index_alone_is_that_of_every_host()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?gpu_id=0&page_size=1");
        Assert.Equal(FleetFixture.RowsPerGpu + FleetFixture.RowsLost, answer.GetProperty("pagination").GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task An_unknown_host_or_gpu_is_404()
    {
        var host = await fleet.Server.GetProblemAsync($"{Route}?host_id=node-z", 404);
        Assert.Equal("urn:telemetry:problem:unknown-host", host.GetProperty("type").GetString());
        Assert.Equal("host_id", host.GetProperty("parameter").GetString());
        Assert.Contains("'node-z'", host.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var gpu = await fleet.Server.GetProblemAsync($"{Route}?host_id=node-a&gpu_id=7", 404);
        Assert.Equal("urn:telemetry:problem:unknown-gpu", gpu.GetProperty("type").GetString());
        Assert.Equal("gpu_id", gpu.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Milliseconds_are_written_where_they_are_not_zero()
    {
        using var file = new StoreFile();
        file.Write(
            FleetFixture.Record(FleetFixture.Now.AddMilliseconds(7), FleetFixture.Busy, ("power_w", 1)),
            FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 1)));
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });

        var data = (await server.GetAsync(Route)).GetProperty("data");
        Assert.Equal("2025-07-18T21:00:00.007Z", data[0].GetProperty("timestamp").GetString());
        Assert.Equal("2025-07-18T21:00:00Z", data[1].GetProperty("timestamp").GetString());
    }
}
