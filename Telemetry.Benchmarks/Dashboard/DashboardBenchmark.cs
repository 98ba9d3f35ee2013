using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Playwright;
using Telemetry.Benchmarks.Broker;
using Telemetry.Benchmarks.Store;
using Telemetry.Gateway;
using Telemetry.Gateway.Fleet;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

namespace Telemetry.Benchmarks.Dashboard;

/// <summary>
/// A gateway over a fleet of 10,000, on loopback, in this process: what the dashboard asks it, one request after the other, and
/// the first page in a real browser, with nothing cached.
/// </summary>
internal static class DashboardBenchmark
{
    private const double FirstPageBudgetMs = 1_000;
    private const double DrawBudgetMs = 100;

    private static readonly string[] Routes =
    [
        "/api/v1/fleet/gpus", "/api/v1/fleet/gpus?metrics=gpu_utilization", "/api/v1/telemetry/latest", "/api/v1/fleet/usage?time_range=24h", "/api/v1/pipeline",
    ];

    public static async Task MeasureAsync(DashboardSettings settings, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder(settings.Folder);
        var path = folder.File("telemetry.db");
        using var history = History.Write(path, new WalkingFleet(settings.Gpus), settings.Length, settings.Interval, cancellationToken);
        history.Upkeep.CatchUp(Upkeep.FoldDelay, cancellationToken);
        await using var gateway = GatewayApp.Build(new GatewayOptions { DatabasePath = path, Port = 0, LogLevel = LogVerbosity.Error }, history.Clock);
        await gateway.StartAsync(cancellationToken);
        var address = gateway.BoundAddresses()[0];

        Lines.Plain($"{"milliseconds",-48}{"p50",9}{"p99",9}{"bytes",12}{"br",12}");
        using var client = new HttpClient { BaseAddress = address };
        foreach (var route in Routes)
        {
            var plain = await AskAsync(client, route, null, cancellationToken);
            var took = new List<double>();
            for (var i = 0; i < settings.Runs; i++)
                took.Add((await AskAsync(client, route, null, cancellationToken)).Milliseconds);
            var small = await AskAsync(client, route, "br", cancellationToken);
            Lines.Plain($"{route,-48}{Percentiles.Of(took, 0.5),9:n1}{Percentiles.Of(took, 0.99),9:n1}{plain.Bytes,12:n0}{small.Bytes,12:n0}");
        }
        await InsightsAsync(path, history.Clock, settings.Runs, cancellationToken);
        await FirstPageAsync(settings, address);
        await gateway.StopAsync(cancellationToken);
    }

    private static async Task<(double Milliseconds, long Bytes)> AskAsync(HttpClient client, string route, string? encoding, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, route);
        if (encoding is not null)
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(encoding));
        var asked = Stopwatch.GetTimestamp();
        using var response = await client.SendAsync(request, cancellationToken);
        var body = await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellationToken);
        return (Stopwatch.GetElapsedTime(asked).TotalMilliseconds, body.Length);
    }

    // Without what a gateway keeps for some seconds.
    private static async Task InsightsAsync(string path, TimeProvider clock, int runs, CancellationToken cancellationToken)
    {
        using var reader = new TelemetryReader(path, clock);
        var took = new List<double>();
        var findings = 0;
        for (var i = 0; i <= runs; i++)
        {
            using var insights = new FleetInsights(reader, FleetRules.Default, clock);
            var asked = Stopwatch.GetTimestamp();
            findings = (await insights.GetAsync(cancellationToken)).Total;
            if (i > 0) // the first compiles
                took.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }
        Lines.Plain($"{"insights, nothing kept",-48}{Percentiles.Of(took, 0.5),9:n1}{Percentiles.Of(took, 0.99),9:n1}   {findings:n0} findings");
    }

    private static async Task FirstPageAsync(DashboardSettings settings, Uri address)
    {
        if (!File.Exists(settings.Chromium))
        {
            Lines.Note("first page", $"not measured: there is no {settings.Chromium}; give --chromium");
            return;
        }
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = settings.Chromium,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var (pages, draws) = (new List<double>(), new List<double>());
        for (var i = 0; i <= settings.Runs; i++)
        {
            await using var context = await browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
            var page = await context.NewPageAsync();
            var began = Stopwatch.GetTimestamp();
            await page.GotoAsync(address.ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
            var map = await page.WaitForSelectorAsync("[data-draw-ms]");
            if (i == 0)
                continue; // the browser's own beginning
            pages.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            draws.Add(double.Parse((await map!.GetAttributeAsync("data-draw-ms"))!, CultureInfo.InvariantCulture));
        }
        Lines.Plain($"{"first page, to the drawn heat map",-48}{Percentiles.Of(pages, 0.5),9:n1}{Percentiles.Of(pages, 0.99),9:n1}   budget {FirstPageBudgetMs:n0}");
        Lines.Plain($"{$"heat map of {settings.Gpus:n0} GPUs, drawing",-48}{Percentiles.Of(draws, 0.5),9:n1}{Percentiles.Of(draws, 0.99),9:n1}   budget {DrawBudgetMs:n0}");
    }
}
