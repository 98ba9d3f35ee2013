using Aspire.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Telemetry.Hosting.Run;

namespace Telemetry.Tests.Hosting;

public sealed class DashboardPageTests
{
    private const string Chromium = "/usr/bin/chromium";
    private const string Hostile = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";

    private static readonly string[] ChromiumArgs =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    [Fact]
    public async Task The_page_shows_what_runs_and_obeys()
    {
        if (!File.Exists(Chromium) && Environment.GetEnvironmentVariable("CI") != "true")
            Assert.Skip($"there is no {Chromium}: apt-get install chromium");
        await using var host = new TestHost(DashboardClient.Args);
        var back = host.AddProbe("back");
        host.AddProbe("front").WithReplicas(2).WithEnvironment("ACCESS_TOKEN", "t0ken-value").WaitFor(back);
        await host.StartAsync();
        await host.HealthyAsync("front");
        host.App.Services.GetRequiredService<LogStore>().Add("back-0", $"fail: Test[1] {Hostile}", isError: false);

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ChromiumArgs });
        var page = await browser.NewPageAsync();
        // Violations of the content security policy are errors of the console too.
        var problems = new LineRecorder();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                problems.WriteLine(message.Text);
        };
        page.PageError += (_, error) => problems.WriteLine(error);

        await page.GotoAsync((await DashboardClient.LoginAddressAsync(host)).ToString());
        Assert.EndsWith("/", page.Url, StringComparison.Ordinal);
        var rows = page.Locator("#resource-rows tr");
        await Assertions.Expect(rows).ToHaveCountAsync(4);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        await Assertions.Expect(page.Locator("#summary")).ToHaveTextAsync("3 of 3 running");
        await Assertions.Expect(rows.Nth(1).Locator(".state")).ToHaveTextAsync("Running");

        await page.GetByRole(AriaRole.Button, new() { Name = "front", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#details")).ToContainTextAsync("ACCESS_TOKEN");
        Assert.DoesNotContain("t0ken-value", await page.ContentAsync(), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator("#details")).ToBeHiddenAsync();

        // Restart: other processes, and running again.
        var processes = rows.Nth(2).Locator("td.number").First;
        var before = await processes.TextContentAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Restart front", Exact = true }).ClickAsync();
        await host.Lines.LineAsync(line => line == "[host] front-0 is stopped by the dashboard: exit code 0", host.Limit);
        await host.HealthyAsync("front");
        await Assertions.Expect(processes).Not.ToHaveTextAsync(before!);
        await Assertions.Expect(page.Locator("#summary")).ToHaveTextAsync("3 of 3 running");

        // Logs: all of them, those that fit, and text that stays text.
        await page.GetByRole(AriaRole.Link, new() { Name = "Logs", Exact = true }).ClickAsync();
        var lines = page.Locator("#log-lines .line");
        await Assertions.Expect(lines.Filter(new() { HasText = "front-1 started as process" })).ToHaveCountAsync(2);
        await page.GetByPlaceholder("Filter by text").FillAsync("onerror");
        await Assertions.Expect(lines).ToHaveCountAsync(1);
        await Assertions.Expect(lines.Locator(".text")).ToHaveTextAsync(Hostile);
        await page.GetByPlaceholder("Filter by text").FillAsync("");
        await page.Locator("#log-level").SelectOptionAsync("error");
        await Assertions.Expect(lines).ToHaveCountAsync(1);
        await page.Locator("#log-source").SelectOptionAsync("front");
        await Assertions.Expect(lines).ToHaveCountAsync(0);

        // Metrics are asked for while they are shown.
        await page.GetByRole(AriaRole.Link, new() { Name = "Metrics", Exact = true }).ClickAsync();
        await page.GetByLabel("Runtime metrics").CheckAsync();
        await page.GetByPlaceholder("Filter by name or label").FillAsync("dotnet_process_cpu_count");
        await Assertions.Expect(page.Locator("#metric-rows tr")).ToHaveCountAsync(1);

        Assert.Equal("Telemetry.Tests dashboard", await page.TitleAsync());
        Assert.Empty(problems.Lines);
    }
}
