using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Distributed;

/// <summary>Real processes of one machine, one test at a time.</summary>
[CollectionDefinition(nameof(Distributed), DisableParallelization = true)]
public sealed class Distributed;

/// <summary>From CSV to the store and to HTTP with real processes: what arrives is exactly what a straight reading of the file says.</summary>
[Collection(nameof(Distributed))]
public sealed class DistributedTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-fleet-");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string> Inputs
    {
        get
        {
            var data = new TheoryData<string>
            {
                Path.Combine(Repository.Root, "data", "telemetry.csv"),
                Path.Combine(Repository.Root, "data", "dcgm.csv"),
            };
            if (Environment.GetEnvironmentVariable("TELEMETRY_TEST_DATA") is { Length: > 0 } folder)
            {
                foreach (var file in Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal))
                    data.Add(file);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Inputs), DisableDiscoveryEnumeration = true)]
    public async Task Three_streamers_and_three_collectors_carry_every_value_exactly_once(string csv)
    {
        var expected = StraightReading.Read(csv);
        await using var run = await PipelineRun.OfFileAsync(csv);
        Assert.Equal((3, 3), (run.Replicas.Of("streamer").Count, run.Replicas.Of("collector").Count));

        await run.StreamersEndWellAsync();
        await run.UntilDrainedAsync(expected.Records);
        var http = await run.HttpTotalsAsync(expected.First, expected.Last.AddSeconds(1));
        var total = await run.ApiTotalAsync();
        await run.StopAsync();

        await StoreContents.AssertEachOnceAsync(run.DatabasePath, expected);
        Assert.Equal(expected.Records, total);
        StoreContents.AssertEqual(expected.Totals, http);
    }

    [Fact]
    public async Task F13_F14_F16_Collectors_killed_in_mid_run_change_nothing_in_the_totals()
    {
        var csv = WriteFleet(rows: 60_000);
        var expected = StraightReading.Read(csv);
        await using var run = await PipelineRun.OfFileAsync(csv, SmallSteps);

        await KillTwiceAsync(run, "collector", expected.Records);
        await run.StreamersEndWellAsync();
        await run.UntilDrainedAsync(expected.Records);
        await run.StopAsync();

        await StoreContents.AssertEachOnceAsync(run.DatabasePath, expected);
    }

    [Fact]
    public async Task F29_F37_Streamers_killed_in_mid_run_leave_their_part_of_the_input_to_the_others_and_every_row_is_sent_once()
    {
        var csv = WriteFleet(rows: 300_000);
        var expected = StraightReading.Read(csv);
        await using var run = await PipelineRun.OfFileAsync(csv);

        await KillTwiceAsync(run, "streamer", expected.Records);
        await run.StreamersEndWellAsync();
        Assert.Equal(expected.Records, await run.SentAsync());
        await run.UntilDrainedAsync(expected.Records);
        await run.StopAsync();

        await StoreContents.AssertEachOnceAsync(run.DatabasePath, expected);
    }

    /// <summary>Small batches with a pause, so that a kill falls between a publish and the next one.</summary>
    private static void SmallSteps(IDistributedApplicationTestingBuilder builder) =>
        builder.CreateResourceBuilder<ProjectResource>("streamer").WithEnvironment("STREAM_INTERVAL", "1ms").WithEnvironment("BATCH_SIZE", "100");

    /// <summary>Kills a process at a tenth of the rows, and another one later.</summary>
    private static async Task KillTwiceAsync(PipelineRun run, string resource, long rows)
    {
        foreach (var part in new[] { 10, 5 })
        {
            await run.UntilAsync($"1/{part} of the rows", async () => await run.RowsAsync() > rows / part);
            await run.Replicas.KillAsync(resource, run.Cancellation);
        }
        Assert.True(await run.RowsAsync() < rows, "everything was done before the kill");
    }

    private string WriteFleet(long rows)
    {
        var path = Path.Combine(_folder.FullName, "fleet.csv");
        FleetFile.Write(path, rows);
        return path;
    }
}
