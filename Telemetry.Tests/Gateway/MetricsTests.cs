using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Telemetry.Tests.Gateway.Live;

namespace Telemetry.Tests.Gateway;

/// <summary>
/// A real scrape. Alone: all gateways of a process share the meter's name, and one that stops ends it for the others.
/// </summary>
[CollectionDefinition(nameof(MetricsTests), DisableParallelization = true)]
[Collection(nameof(MetricsTests))]
public sealed partial class MetricsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scrape_has_the_metrics_of_the_contract_by_method_template_and_status()
    {
        using var file = new StoreFile();
        file.Write(FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 1)));
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        await server.GetAsync("/api/v1/telemetry/hosts/node-a/gpus");
        await server.GetProblemAsync("/api/v1/telemetry/hosts/evil-name/gpus", 404);
        await server.GetProblemAsync("/api/v1/telemetry?page=0", 400);
        await server.GetProblemAsync("/no/such/path", 404);

        var scrape = await ScrapeAsync(server, "route=\"unmatched\",status=\"404\"");
        const string requests = "telemetry_pipeline_gateway_http_requests_total";
        const string gpus = "method=\"GET\",route=\"/api/v1/telemetry/hosts/{host_id}/gpus\"";
        Assert.True(Value(scrape, requests, gpus, "status=\"200\"") >= 1);
        Assert.True(Value(scrape, requests, gpus, "status=\"404\"") >= 1);
        Assert.True(Value(scrape, requests, "route=\"/api/v1/telemetry\"", "status=\"400\"") >= 1);
        Assert.True(Value(scrape, requests, "route=\"unmatched\"", "status=\"404\"") >= 1);
        Assert.True(Value(scrape, "telemetry_pipeline_gateway_http_request_duration_seconds_count", gpus, "status=\"200\"") >= 1);
        Assert.True(Value(scrape, "telemetry_pipeline_gateway_http_request_duration_seconds_bucket", gpus, "status=\"200\"", "le=\"+Inf\"") >= 1);
        Assert.True(Value(scrape, "telemetry_pipeline_gateway_http_requests_in_flight", "route=\"/metrics\"") >= 1);
        Assert.DoesNotContain("evil-name", scrape, StringComparison.Ordinal);
        Assert.DoesNotContain("/no/such", scrape, StringComparison.Ordinal);
        // Nothing else of ours, so no doubled or added suffix.
        Assert.Equal(
            [
                "telemetry_pipeline_gateway_http_request_duration_seconds", "telemetry_pipeline_gateway_http_requests_in_flight",
                "telemetry_pipeline_gateway_http_requests_total",
            ],
            TypeLine().Matches(scrape).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_stream_is_measured_to_its_beginning()
    {
        using var file = new StoreFile();
        file.Write(FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 1)));
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, HeartbeatInterval = TimeSpan.FromMilliseconds(50) });
        var asked = Stopwatch.GetTimestamp();
        TimeSpan begun;
        await using (var client = await LiveClient.ConnectAsync(server))
        {
            begun = Stopwatch.GetElapsedTime(asked);
            for (var beats = 0; beats < 3; beats++)
                Assert.Equal("heartbeat", (await client.NextAsync())?.EventType);
        }
        const string stream = "route=\"/api/v1/telemetry/stream\",status=\"200\"";
        var scrape = await ScrapeAsync(server, stream);
        Assert.InRange(Value(scrape, "telemetry_pipeline_gateway_http_request_duration_seconds_sum", stream), 0, begun.TotalSeconds);
    }

    // A request is counted when it has ended, which is a moment after its answer has arrived.
    private static async Task<string> ScrapeAsync(GatewayServer server, string until)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (true)
        {
            var scrape = await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), limit.Token);
            if (scrape.Contains(until, StringComparison.Ordinal))
                return scrape;
        }
    }

    private static double Value(string scrape, string name, params string[] labels)
    {
        var line = scrape.Split('\n').FirstOrDefault(l => l.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(label => l.Contains(label, StringComparison.Ordinal)));
        Assert.True(line is not null, $"no {name} with {string.Join(' ', labels)}");
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^# TYPE (telemetry_pipeline_gateway_\\S+)", RegexOptions.Multiline)]
    private static partial Regex TypeLine();
}
