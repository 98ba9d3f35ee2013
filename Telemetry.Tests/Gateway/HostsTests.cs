using System.Text.Json;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

public sealed class HostsTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    [Fact]
    public async Task Hosts_come_by_name_with_gpus_counted_and_first_and_last_seen()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/telemetry/hosts");
        Assert.Equal(
            """{"data":[{"host_id":"node-a","gpu_count":2,"first_seen":"2025-07-18T20:50:00Z","last_seen":"2025-07-18T20:59:50Z"},{"host_id":"node-b","gpu_count":1,"first_seen":"2025-07-18T20:50:00Z","last_seen":"2025-07-18T20:57:50Z"}],"total":2}""",
            answer.GetRawText());
    }

    [Fact]
    public async Task A_hosts_gpus_come_by_index_with_their_labels()
    {
        var answer = await fleet.Server.GetAsync("/api/v1/telemetry/hosts/node-a/gpus");
        Assert.Equal(2, answer.GetProperty("total").GetInt32());
        Assert.Equal(
            """{"host_id":"node-a","gpu_id":"0","uuid":"GPU-a0","model":"NVIDIA H100","device":"nvidia0","pod":"train-0","namespace":"research","container":"trainer","first_seen":"2025-07-18T20:50:00Z","last_seen":"2025-07-18T20:59:50Z"}""",
            answer.GetProperty("data")[0].GetRawText());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("data")[1].GetProperty("pod").ValueKind);
    }

    [Fact]
    public async Task An_unknown_host_has_no_gpus_but_a_404()
    {
        var problem = await fleet.Server.GetProblemAsync("/api/v1/telemetry/hosts/node-z/gpus", 404);
        Assert.Equal("host_id", problem.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Gpu_indices_are_ordered_as_numbers()
    {
        using var file = new StoreFile();
        file.Write([.. new[] { "10", "9", "1", "MIG-b", "0" }.Select(id => FleetFixture.Record(FleetFixture.Now, new GpuLabels("h", id, "", "", "", "", "", ""), ("power_w", 1)))]);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });

        var answer = await server.GetAsync("/api/v1/telemetry/hosts/h/gpus");
        Assert.Equal(["0", "1", "9", "10", "MIG-b"], answer.GetProperty("data").EnumerateArray().Select(g => g.GetProperty("gpu_id").GetString()));
    }

    public static TheoryData<string> WeirdHosts =>
    [
        "<script>alert(1)</script>", "\"onerror=\"x", "javascript:alert(1)", "rack1/node2", "rack1%2Fnode2", "a%2fb/c", "a%b", "100%", "a+b c", "a?b#c&d=e",
        "узел-7", "节点", "🦆", "\u202Eevil", "' OR 1=1 --", "{host_id}", "gpus", "a\\b", "~!@$^*()[]|;:,'",
    ];

    [Theory]
    [MemberData(nameof(WeirdHosts))]
    public async Task A_host_of_any_name_is_found_by_path_and_by_parameter(string host)
    {
        using var file = new StoreFile();
        file.Write(
            FleetFixture.Record(FleetFixture.Now, new GpuLabels(host, "0", host, host, host, host, host, host), ("power_w", 1)),
            FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 2)));
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        var escaped = Uri.EscapeDataString(host);

        var gpus = await server.GetAsync($"/api/v1/telemetry/hosts/{escaped}/gpus");
        var gpu = Assert.Single(gpus.GetProperty("data").EnumerateArray());
        Assert.Equal(host, gpu.GetProperty("host_id").GetString());
        Assert.Equal(host, gpu.GetProperty("pod").GetString());

        var rows = await server.GetAsync($"/api/v1/telemetry?host_id={escaped}");
        Assert.Equal(host, Assert.Single(rows.GetProperty("data").EnumerateArray()).GetProperty("host_id").GetString());

        var problem = await server.GetProblemAsync($"/api/v1/telemetry?host_id={escaped}&gpu_id=1", 404);
        Assert.Equal("gpu_id", problem.GetProperty("parameter").GetString());
    }
}
