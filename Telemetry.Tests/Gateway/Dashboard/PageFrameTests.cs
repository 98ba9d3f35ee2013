using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Storage.Queries;
using static Microsoft.Playwright.Assertions;

namespace Telemetry.Tests.Gateway.Dashboard;

/// <summary>What all pages do alike: before anything is there, with wrong addresses, with long names, by keys and on the way back.</summary>
public sealed class PageFrameTests(DashboardFixture fleet) : IClassFixture<DashboardFixture>
{
    [Fact]
    public async Task Before_there_is_a_store_every_page_says_what_is_missing()
    {
        foreach (var view in new[] { "fleet", "gpus", "explore", "usage" })
        {
            await using var tab = await fleet.OpenAsync(view, address: fleet.EmptyAddress);
            await Expect(tab.Locator(".first-run")).ToContainTextAsync("dotnet run --project Telemetry.AppHost");
            await Expect(tab.Locator(".first-run")).ToContainTextAsync("No collector has made the store yet");
            await Expect(tab.Locator(".first-run")).ToContainTextAsync("The queue is not reachable");
            await tab.AssertWellAsync();
        }
        await using var pipeline = await fleet.OpenAsync("pipeline", address: fleet.EmptyAddress);
        await Expect(pipeline.Locator("[data-stage=store]")).ToContainTextAsync("no collector has made it yet");
        await Expect(pipeline.Locator("[data-stage=queue]")).ToContainTextAsync("queue not reachable");
        await pipeline.AssertWellAsync();
    }

    [Theory]
    [InlineData("fleet", ".heat canvas[data-cells='1']")]
    [InlineData("gpus", "table.virtual tbody th a")]
    [InlineData("gpu?host=late&gpu=0", ".facts")]
    [InlineData("explore", ".explore-form input[name=host]")]
    public async Task What_was_missing_is_shown_once_it_is_there(string view, string shown)
    {
        var time = new FakeTimeProvider(DashboardFixture.Now);
        using var file = new StoreFile(time);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path }, time);
        await using var tab = await fleet.OpenAsync(view, address: server.Client.BaseAddress);
        await Expect(tab.Locator("main")).ToContainTextAsync(new Regex("No collector has made the store yet|There is no such GPU"));
        file.Write(FleetFixture.Record(DashboardFixture.Now.AddSeconds(-1), new GpuLabels("late", "0", "", "", "", "", "", ""), ("gpu_utilization", 50)));
        await Expect(tab.Locator(shown).First).ToBeVisibleAsync(new() { Timeout = 30_000 });
        if (!view.StartsWith("gpu?", StringComparison.Ordinal)) // there the browser tells of the 404
            await tab.AssertWellAsync();
    }

    [Fact]
    public async Task Names_may_be_long_and_back_is_where_one_was()
    {
        const string host = "gpu-worker-europe-west4-a-pool-h100-80gb-7f9c2b1d-mtv5-dgx1-hgpu";
        var time = new FakeTimeProvider(DashboardFixture.Now);
        using var file = new StoreFile(time);
        file.Write([.. Enumerable.Range(0, 400).Select(i => FleetFixture.Record(
            DashboardFixture.Now.AddSeconds(-1), new GpuLabels($"{host}-{i / 8:000}", $"{i % 8}", "", "NVIDIA H100 80GB HBM3", "", $"{host}-pod-{i}", "research", ""), ("gpu_utilization", 50)))]);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path }, time);
        foreach (var (view, drawn) in new[] { ("fleet", ".heat canvas[data-cells='400']"), ("gpus", "table.virtual tbody th a"), ($"gpu?host={host}-000&gpu=0&from=2025-07-18T20:00:00Z&to=2025-07-18T21:00:00Z", "figure[data-points]"), ("explore?q=avg by (host_id) (gpu_utilization)", ".explore-chart .plot[data-drawn]") })
        {
            await using var narrow = await fleet.OpenAsync(view, 390, address: server.Client.BaseAddress);
            await Expect(narrow.Locator(drawn).First).ToBeVisibleAsync();
            Assert.True(await narrow.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{view} scrolls sideways");
            await narrow.AssertWellAsync();
        }

        await using var tab = await fleet.OpenAsync("gpus", address: server.Client.BaseAddress);
        var far = tab.Locator($"tr[data-key^='{host}-030'] a").Nth(5);
        await Expect(tab.Locator("table.virtual[data-rows='400']")).ToBeVisibleAsync();
        await tab.Locator(".virtual-scroll").EvaluateAsync("element => element.scrollTop = 33 * 240");
        await Expect(far).ToBeInViewportAsync();
        var index = (await far.Locator("span").Last.BoundingBoxAsync())!;
        var cell = (await far.Locator("xpath=..").BoundingBoxAsync())!;
        Assert.True(index.X + index.Width <= cell.X + cell.Width, "the GPU's index is cut off");
        await far.ClickAsync();
        await Expect(tab.Locator("h1")).ToContainTextAsync($"{host}-030");
        await tab.Page.GoBackAsync();
        await Expect(far).ToBeInViewportAsync();
        await tab.AssertWellAsync();
    }

    [Theory]
    [InlineData("nothing", "There is no such page")]
    [InlineData("gpu", "Which GPU?")]
    [InlineData("gpu?host=node-x&gpu=0", "There is no such GPU")]
    [InlineData("gpu?host=node-a&gpu=0&range=3y", "is not a range")]
    [InlineData("explore?s=nonsense", "is not a series")]
    public async Task An_address_that_is_wrong_says_so(string view, string text)
    {
        await using var tab = await fleet.OpenAsync(view);
        await Expect(tab.Locator("main")).ToContainTextAsync(text);
    }

    [Fact]
    public async Task The_theme_is_chosen_and_remembered_and_keys_reach_the_content()
    {
        await using var tab = await fleet.OpenAsync("gpus");
        await tab.Locator("#theme").ClickAsync();
        await tab.Locator("#theme").ClickAsync();
        await Expect(tab.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await tab.Page.ReloadAsync();
        await Expect(tab.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await tab.Page.Keyboard.PressAsync("Tab");
        await Expect(tab.Locator(".skip")).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.Locator("main")).ToBeFocusedAsync();
        await tab.GoAsync("usage");
        await Expect(tab.Locator(".usage-page")).ToBeVisibleAsync();
        await tab.Page.Keyboard.PressAsync("/");
        await Expect(tab.Page.GetByLabel("Filter by text")).ToBeFocusedAsync();
        await tab.Page.Keyboard.TypeAsync("node-b/1");
        await Expect(tab.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(1);
        await tab.AssertWellAsync();
    }
}
