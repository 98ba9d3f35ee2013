using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Telemetry.Benchmarks.Processes;

namespace Telemetry.Tests.Hosting;

/// <summary>The one command of the README, on the real services.</summary>
[Collection(nameof(Distributed))]
public sealed class AppHostProcessTests
{
    [Fact]
    public async Task The_whole_system_starts_fills_the_API_survives_a_killed_collector_and_stops_without_a_trace()
    {
        var folder = Directory.CreateTempSubdirectory("telemetry-apphost-");
        var port = FreePorts.Take(1)[0];
        try
        {
            await using var host = HostProcess.OfTheSystem(
                string.Create(CultureInfo.InvariantCulture, $"--GatewayPort={port}"), $"--DataFolder={Path.Combine(folder.FullName, "run")}");
            await host.UpAsync();
            var services = host.Services();
            Assert.Equal(6, services.Count);
            Assert.Contains(host.Output.Lines, line => line.Contains($"http://localhost:{port}/swagger/index.html", StringComparison.Ordinal));
            using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{port}") };
            var before = await RowsBeyondAsync(http, 0, host.Limit);

            var killed = StartedAs(host.Output.Lines.First(line => line.Contains("collector-0 started as process", StringComparison.Ordinal)));
            HostProcess.Signal(killed, HostProcess.Kill);
            await host.Errors.LineAsync(line => line.Contains("collector-0 ended", StringComparison.Ordinal) && line.Contains("started again", StringComparison.Ordinal), host.Limit);
            var again = await host.Output.LineAsync(
                line => line.Contains("collector-0 started as process", StringComparison.Ordinal) && StartedAs(line) != killed, host.Limit);
            services = [.. services, Process.GetProcessById(StartedAs(again))];
            Assert.True(await RowsBeyondAsync(http, before + 200, host.Limit) > before);

            host.Signal(HostProcess.Terminate);
            Assert.Equal(0, await host.EndAsync());
            Assert.All(services, service => Assert.True(service.HasExited));
            Assert.True(File.Exists(Path.Combine(folder.FullName, "run", "telemetry.db")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int StartedAs(string line) => int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);

    private static async Task<long> RowsBeyondAsync(HttpClient http, long rows, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            using var page = JsonDocument.Parse(await http.GetStringAsync(new Uri("/api/v1/telemetry?page_size=1", UriKind.Relative), cancellation));
            if (page.RootElement.GetProperty("pagination").GetProperty("total").GetInt64() is var total && total > rows)
                return total;
            await timer.WaitForNextTickAsync(cancellation);
        }
    }
}
