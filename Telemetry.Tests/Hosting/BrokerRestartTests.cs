using System.Text.Json;
using Telemetry.Tests.Distributed;

namespace Telemetry.Tests.Hosting;

/// <summary>
/// A broker that was killed is started again by this host, on its port; the others find it. Its log was in memory, so that
/// nothing is said here about the records that it had.
/// </summary>
[Collection(nameof(Distributed))]
public sealed class BrokerRestartTests
{
    [Fact]
    public async Task A_broker_killed_in_mid_run_comes_back_and_streamers_and_collectors_go_on_with_it()
    {
        await using var run = await PipelineRun.StartAsync([]);
        await run.UntilAsync("the first rows", async () => await run.ApiTotalAsync() > 0);
        var before = Assert.Single(await TopicsAsync(run));

        await run.Replicas.KillAsync("broker", run.Cancellation);
        await run.UntilAsync("a topic of the new broker", async () => await TopicsAsync(run) is [var now] && now != before);
        await run.App.ResourceNotifications.WaitForResourceHealthyAsync("broker", run.Cancellation);
        var rows = await run.ApiTotalAsync();
        await run.UntilAsync("rows of the new broker", async () => await run.ApiTotalAsync() > rows + 200);

        // None of the others had to be started again.
        Assert.All(
            run.Replicas.Of("streamer").Concat(run.Replicas.Of("collector")).Concat(run.Replicas.Of("gateway")),
            replica => Assert.Null(replica.Snapshot.ExitCode));
    }

    /// <summary>When the topics of the queue were made; empty while it cannot be reached.</summary>
    private static async Task<IReadOnlyList<string>> TopicsAsync(PipelineRun run)
    {
        using var answer = JsonDocument.Parse(await run.Http.GetStringAsync(new Uri("/api/v1/pipeline", UriKind.Relative), run.Cancellation));
        return [.. answer.RootElement.GetProperty("queue").GetProperty("topics").EnumerateArray().Select(topic => topic.GetProperty("created_at").GetString()!)];
    }
}
