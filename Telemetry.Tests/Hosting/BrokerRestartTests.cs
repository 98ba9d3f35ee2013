using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Tests.Distributed;

namespace Telemetry.Tests.Hosting;

/// <summary>A broker that was killed is started again by this host, on its port and with its log; the others find it.</summary>
[Collection(nameof(Distributed))]
public sealed class BrokerRestartTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-fleet-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task F01_F10_A_broker_killed_in_mid_run_comes_back_with_its_log_and_every_row_arrives_once()
    {
        var csv = Path.Combine(_folder.FullName, "fleet.csv");
        FleetFile.Write(csv, rows: 60_000);
        var expected = StraightReading.Read(csv);
        await using var run = await PipelineRun.OfFileAsync(csv, builder =>
            builder.CreateResourceBuilder<ProjectResource>("streamer").WithEnvironment("STREAM_INTERVAL", "1ms").WithEnvironment("BATCH_SIZE", "100"));
        foreach (var part in new[] { 10, 3 })
        {
            await run.UntilAsync($"1/{part} of the rows", async () => run.Replicas.AnyRuns("broker") && await run.RowsAsync() > expected.Records / part);
            await run.Replicas.KillAsync("broker", run.Cancellation);
        }
        Assert.True(await run.RowsAsync() < expected.Records, "everything was done before the kill");
        await run.StreamersEndWellAsync();
        await run.UntilDrainedAsync(expected.Records);
        // None of the others had to be started again.
        Assert.All(run.Replicas.Of("collector").Concat(run.Replicas.Of("gateway")), replica => Assert.Null(replica.Snapshot.ExitCode));
        await run.StopAsync();

        await StoreContents.AssertEachOnceAsync(run.DatabasePath, expected);
    }
}
