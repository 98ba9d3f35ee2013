using System.Net.Sockets;

namespace Telemetry.Tests.Distributed;

/// <summary>The system as AppHost.cs describes it, with nothing changed.</summary>
[Collection(nameof(Distributed))]
public sealed class AppHostSystemTests
{
    private static readonly string[] Services = ["broker", "streamer", "collector", "gateway"];

    [Fact]
    public async Task The_whole_system_gets_healthy_fills_the_API_and_goes_on_without_a_collector()
    {
        await using var run = await PipelineRun.StartAsync([]);
        foreach (var service in Services)
            await run.App.ResourceNotifications.WaitForResourceHealthyAsync(service, run.Cancellation);
        Assert.Equal([1, 2, 2, 1], Services.Select(service => run.Replicas.Of(service).Count));

        var before = await RowsBeyondAsync(run, 0);
        await run.Replicas.KillAsync("collector", run.Cancellation);
        Assert.True(await RowsBeyondAsync(run, before + 200) > before);
    }

    [Fact]
    public async Task Two_systems_run_side_by_side_and_leave_nothing_behind()
    {
        var systems = await Task.WhenAll(
            PipelineRun.StartAsync(["--Streamers=1", "--Collectors=1"]), PipelineRun.StartAsync(["--Streamers=1", "--Collectors=1", "--BrokerFolder="]));
        var gateways = systems.Select(system => system.Http.BaseAddress!).ToList();
        try
        {
            Assert.NotEqual(gateways[0].Port, gateways[1].Port);
            Assert.DoesNotContain(8080, gateways.Select(gateway => gateway.Port));
            foreach (var system in systems)
                await RowsBeyondAsync(system, 0);
            // The second one's queue is in memory.
            Assert.Equal([true, false], systems.Select(system => Directory.Exists(Path.Combine(system.DataFolder, "broker"))));
        }
        finally
        {
            foreach (var system in systems)
                await system.DisposeAsync();
        }

        Assert.All(systems.SelectMany(system => Services.SelectMany(system.Replicas.Of)), replica => Assert.False(Replicas.Runs(replica), replica.ResourceId));
        foreach (var gateway in gateways)
        {
            using var client = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(gateway.Host, gateway.Port, TestContext.Current.CancellationToken).AsTask());
        }
    }

    private static async Task<long> RowsBeyondAsync(PipelineRun run, long rows)
    {
        var total = 0L;
        await run.UntilAsync($"more than {rows} rows in the API", async () => (total = await run.ApiTotalAsync()) > rows);
        return total;
    }
}
