using System.Text;
using Telemetry.Gateway;

namespace Telemetry.Tests.Gateway.Export;

/// <summary>Alone: it looks at the memory of the whole process.</summary>
[CollectionDefinition(nameof(ExportMemoryTests), DisableParallelization = true)]
[Collection(nameof(ExportMemoryTests))]
public sealed class ExportMemoryTests
{
    private const int Rows = 400_000;
    private const long ManyBytes = 100_000_000; // all rows in memory are several times as much

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task A_reader_that_takes_its_time_gets_all_and_the_gateway_holds_little(string format)
    {
        using var file = new StoreFile();
        foreach (var chunk in Enumerable.Range(0, Rows).Chunk(20_000))
        {
            file.Write([.. chunk.Select(i => FleetFixture.Record(
                FleetFixture.First.AddMilliseconds(i), FleetFixture.Busy, ("power_w", i), ("gpu_utilization", i % 100), ("temperature_c", 30 + (i % 7))))]);
        }
        file.Open().Fold(TimeSpan.Zero);
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var response = await server.Client.GetAsync(
            new Uri($"/api/v1/telemetry/export?metrics=power_w&format={format}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        await using var body = await response.Content.ReadAsStreamAsync(Cancelled);
        using var text = new StreamReader(body, Encoding.UTF8);
        if (format == "csv")
            Assert.EndsWith(",power_w", await text.ReadLineAsync(Cancelled), StringComparison.Ordinal);
        for (var i = 0; i < Rows; i++)
        {
            var line = await text.ReadLineAsync(Cancelled);
            Assert.EndsWith(format == "csv" ? $",{i}" : $"\"power_w\":{i}}}}}", line, StringComparison.Ordinal);
            if (i % 100_000 == 50_000)
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, ManyBytes);
        }
        Assert.Null(await text.ReadLineAsync(Cancelled));
    }
}
