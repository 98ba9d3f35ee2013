using System.Globalization;
using System.Text.Json;
using Telemetry.Benchmarks.Fleet;
using Telemetry.Benchmarks.Processes;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Distributed;

/// <summary>Real processes of one machine, one test at a time.</summary>
[CollectionDefinition(nameof(Distributed), DisableParallelization = true)]
public sealed class Distributed;

/// <summary>From CSV to the store and to HTTP with real processes: what arrives is exactly what a straight reading of the file says.</summary>
[Collection(nameof(Distributed))]
public sealed class DistributedTests
{
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
        await using var run = new PipelineRun(csv);
        run.Pipeline.StartBroker();
        for (var i = 0; i < 3; i++)
            run.Pipeline.StartCollector();
        run.Pipeline.StartGateway();
        var streamers = Enumerable.Range(0, 3).Select(_ => run.Pipeline.StartStreamer()).ToList();

        foreach (var streamer in streamers)
            await run.EndsWellAsync(streamer);
        await run.UntilDrainedAsync(expected.Records);
        var http = await run.HttpTotalsAsync(expected.First, expected.Last.AddSeconds(1));
        using var page = JsonDocument.Parse(await run.Http.GetStringAsync(new Uri("/api/v1/telemetry?page_size=1", UriKind.Relative), run.Cancellation));
        await run.StopAsync();

        Assert.Equal(expected.Records, await run.RowsAsync());
        Assert.Equal(expected.Records, page.RootElement.GetProperty("pagination").GetProperty("total").GetInt64());
        var metrics = expected.Totals.Keys.Select(key => key.Metric).Distinct();
        PipelineRun.AssertEqual(expected.Totals, run.StoreTotals(metrics));
        PipelineRun.AssertEqual(expected.Totals, http);
    }

    [Fact]
    public async Task F13_F14_F16_A_collector_killed_in_mid_run_changes_nothing_in_the_totals()
    {
        var csv = WriteFleet(rows: 60_000);
        var expected = StraightReading.Read(csv);
        await using var run = new PipelineRun(csv);
        run.Pipeline.StartBroker();
        var victim = run.Pipeline.StartCollector();
        run.Pipeline.StartCollector();
        run.Pipeline.StartGateway();
        var streamer = run.Pipeline.StartStreamer();

        await run.UntilAsync("the first rows", async () => await run.RowsAsync() > 0);
        victim.Send(Signal.Kill);
        await run.Pipeline.StartCollector().WaitForLineAsync("collector started", run.Cancellation);
        await run.EndsWellAsync(streamer);
        await run.UntilDrainedAsync(expected.Records);
        await run.StopAsync();

        Assert.Equal(expected.Records, await run.RowsAsync());
        PipelineRun.AssertEqual(expected.Totals, run.StoreTotals(expected.Totals.Keys.Select(key => key.Metric).Distinct()));
    }

    [Fact]
    public async Task F29_A_streamer_killed_in_mid_run_and_started_again_sends_every_row_once()
    {
        var csv = WriteFleet(rows: 60_000);
        var expected = StraightReading.Read(csv);
        // Small batches with a pause, so that the kill falls between a publish and the next one.
        await using var run = new PipelineRun(csv, "--stream-interval", "1ms", "--batch-size", "100");
        run.Pipeline.StartBroker();
        run.Pipeline.StartCollector();
        var victims = new[] { run.Pipeline.StartStreamer(), run.Pipeline.StartStreamer() };

        await run.UntilAsync("a tenth of the rows", async () => await run.RowsAsync() > expected.Records / 10);
        foreach (var victim in victims)
        {
            victim.Send(Signal.Kill);
            await victim.WaitForExitAsync(run.Cancellation);
        }
        var sentByVictims = await run.RowsAsync();
        Assert.True(sentByVictims < expected.Records, "the streamers were done before they were killed");
        var successor = run.Pipeline.StartStreamer();
        await run.EndsWellAsync(successor);
        await run.UntilDrainedAsync(expected.Records);
        await run.StopAsync();

        Assert.Equal(expected.Records, await run.RowsAsync());
        PipelineRun.AssertEqual(expected.Totals, run.StoreTotals(expected.Totals.Keys.Select(key => key.Metric).Distinct()));
    }

    private static string WriteFleet(long rows)
    {
        var path = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"telemetry-fleet-{Environment.ProcessId}-{rows}.csv"));
        var fleet = new FleetSimulator(new FleetShape { Hosts = 8, GpusPerHost = 8, Steps = (int)(rows / 64) + 1, Interval = TimeSpan.FromSeconds(1) });
        using var writer = CsvFiles.Create(path);
        Assert.Equal(rows, CsvFiles.WriteSixMetrics(fleet, writer, rows));
        return path;
    }
}
