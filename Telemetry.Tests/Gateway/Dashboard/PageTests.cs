using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Telemetry.Tests.Gateway.Dashboard;

/// <summary>The dashboard in a real Chromium, on a real store.</summary>
public sealed partial class PageTests(DashboardFixture fleet) : IClassFixture<DashboardFixture>
{
    private const string BusyGpu = "gpu?host=node-a&gpu=0";

    /// <summary>All pages, with what is to be seen on each once it is drawn.</summary>
    public static TheoryData<string, string> Pages => new()
    {
        { "fleet", ".heat canvas[data-cells]" },
        { "gpus", "table.virtual tbody th a" },
        { BusyGpu, "figure[data-metric=power_w][data-points] .plot[data-drawn]" },
        { "explore?s=node-a/0/power_w", ".explore-chart .plot[data-drawn]" },
        { "usage", "table.week td[data-value]" },
        { "pipeline", ".stage[data-stage=store]" },
    };

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_well_in_both_themes_and_on_a_narrow_screen(string view, string drawn)
    {
        foreach (var (scheme, width) in new[] { (ColorScheme.Light, 1440), (ColorScheme.Dark, 1440), (ColorScheme.Light, 390), (ColorScheme.Dark, 390) })
        {
            await using var tab = await fleet.OpenAsync(view, width, scheme);
            await Expect(tab.Locator(drawn).First).ToBeVisibleAsync();
            await Expect(tab.Locator("#live")).ToHaveAttributeAsync("data-state", "live");
            Assert.True(await tab.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{view} scrolls sideways at {width} px");
            var ground = await tab.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor");
            Assert.Equal(scheme == ColorScheme.Dark ? "rgb(13, 16, 21)" : "rgb(245, 246, 248)", ground);
            await tab.KeepAsync($"{view.Split('?')[0]}-{(width == 390 ? "narrow-" : "")}{(scheme == ColorScheme.Dark ? "dark" : "light")}");
            await tab.AssertWellAsync();
        }
    }

    [Fact]
    public async Task The_fleet_shows_figures_findings_and_a_map_that_keys_can_read()
    {
        await using var tab = await fleet.OpenAsync("fleet?metric=power_w");
        foreach (var (card, value) in new[] { ("gpus", "6"), ("reporting", "5"), ("active", "2"), ("idle_held", "1"), ("idle", "1"), ("lost", "1"), ("hot", "1"), ("failing", "1") })
            await Expect(tab.Locator($"[data-card={card}] .value")).ToHaveTextAsync(value);

        var map = tab.Locator(".heat canvas");
        await Expect(map).ToHaveAttributeAsync("data-cells", "6");
        // Five values, of which one is of a GPU that is lost, and one is not measured: four colours of the scale at least, the ground and the marks.
        Assert.InRange(await map.EvaluateAsync<int>("canvas => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"), 6, int.MaxValue);
        await Expect(tab.Locator("[data-card=power] .note")).ToHaveTextAsync("285\u00a0W a GPU");
        await map.FocusAsync();
        await Expect(tab.Locator(".heat-tip")).ToContainTextAsync("node-a / 0");
        await Expect(tab.Locator(".heat-tip")).ToContainTextAsync("Power 400 W");
        await tab.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(tab.Locator(".heat-tip")).ToContainTextAsync("Power 80 W");
        await tab.Page.Keyboard.PressAsync("End");
        await Expect(tab.Locator(".heat-tip")).ToContainTextAsync(DashboardFixture.Hostile);
        await Expect(tab.Locator(".heat .legend")).ToContainTextAsync("Not measured 1");
        await Expect(tab.Locator(".heat .legend")).ToContainTextAsync("Lost 1");
        // What was pointed at does not come back by itself.
        await tab.Page.GetByLabel("Colour").FocusAsync();
        fleet.WriteBusy(87);
        await Expect(tab.Locator("#live")).ToHaveTextAsync("live");
        await Expect(tab.Locator(".heat-tip")).ToBeHiddenAsync();
        await tab.Page.GetByLabel("Colour").SelectOptionAsync("temperature_c");
        await Expect(map).ToHaveAttributeAsync("data-metric", "temperature_c");
        await Expect(tab.Page.GetByLabel("Colour")).ToBeFocusedAsync();
        await tab.Page.GetByLabel("Colour").SelectOptionAsync("power_w");
        await Expect(tab.Locator(".finding[data-kind=hot]")).ToContainTextAsync("node-b / 1");

        await tab.Locator(".chips a").Filter(new() { HasText = "lost" }).ClickAsync();
        await Expect(tab.Locator(".finding")).ToHaveCountAsync(1);
        Assert.Contains("kind=lost", tab.View, StringComparison.Ordinal);
        Assert.Contains("metric=power_w", tab.View, StringComparison.Ordinal);
        await map.FocusAsync();
        await tab.Page.Keyboard.PressAsync("Home");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.Locator("h1")).ToHaveTextAsync("node-a / 0");
        await tab.Page.GoBackAsync();
        await Expect(tab.Locator(".finding")).ToHaveCountAsync(1);
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task The_table_filters_sorts_and_groups_and_its_address_says_how()
    {
        await using var tab = await fleet.OpenAsync("gpus");
        var rows = tab.Locator("table.virtual tbody tr:not(.spacer)");
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(rows.First).ToContainTextAsync("87");
        await Expect(rows.First.Locator("svg.spark")).ToHaveAttributeAsync("data-points", LargerThan40());
        // What is not measured, or not known any more, is a dash.
        await Expect(rows.Nth(3).Locator(".bar .figure").First).ToHaveTextAsync("–");
        await Expect(rows.Nth(4).Locator(".bar .figure").First).ToHaveTextAsync("–");
        await Expect(rows.Nth(5)).ToContainTextAsync(DashboardFixture.Hostile);

        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Power" }).ClickAsync();
        await Expect(rows.First.Locator("th")).ToHaveTextAsync("node-b / 1");
        await Expect(tab.Locator("th[aria-sort=descending]")).ToHaveTextAsync("Power");
        Assert.Contains("sort=-power_w", tab.View, StringComparison.Ordinal);

        await tab.Page.GetByLabel("Filter by text").FillAsync("node-a");
        await Expect(rows).ToHaveCountAsync(4);
        await tab.Locator("[data-state=idle_held]").ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows.First.Locator(".state")).ToContainTextAsync("Idle, held");
        var address = tab.Page.Url;
        await tab.Page.GoBackAsync();
        await Expect(rows).ToHaveCountAsync(4);

        await using var shared = await fleet.OpenAsync(address[(address.IndexOf("#/", StringComparison.Ordinal) + 2)..]);
        await Expect(shared.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(1);
        await shared.GoAsync("gpus?group=namespace");
        var groups = shared.Locator("tr.group");
        await Expect(groups).ToHaveCountAsync(2);
        await Expect(groups.First).ToContainTextAsync("research 5 GPUs");
        await groups.First.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(shared.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(3);
        await Expect(groups.Nth(1)).ToContainTextAsync("not known 1 GPU");
        await groups.Nth(1).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(shared.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(2);
        await shared.GoAsync("gpus?host=node-a");
        await Expect(shared.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(4);
        await shared.Locator("[data-exact=host]").ClickAsync();
        await Expect(shared.Locator("table.virtual tbody tr:not(.spacer)")).ToHaveCountAsync(6);
        await tab.AssertWellAsync();
        await shared.AssertWellAsync();
    }

    [Fact]
    public async Task A_gpu_shows_its_series_with_gaps_as_gaps_its_labels_and_its_siblings()
    {
        await using var tab = await fleet.OpenAsync($"{BusyGpu}&range=1h");
        var power = tab.Locator("figure[data-metric=power_w]");
        await Expect(power).ToHaveAttributeAsync("data-gaps", "1");
        await Expect(power).ToHaveAttributeAsync("data-last", "400");
        await Expect(power.Locator(".chart-read")).ToContainTextAsync("400 W");
        await Expect(tab.Locator(".siblings tbody tr")).ToHaveCountAsync(4);
        await Expect(tab.Locator(".events")).ToContainTextAsync("No records");

        // The cursor reads all charts at once, also by keys; in a gap there is nothing to read.
        await power.Locator(".plot[data-drawn]").FocusAsync();
        var utilization = tab.Locator("figure[data-metric=gpu_utilization] .chart-read");
        await tab.Page.Keyboard.PressAsync("Shift+ArrowRight");
        await Expect(utilization).ToHaveTextAsync(new Regex(@"^01:36:0\d\s+87.%$"));
        foreach (var _ in Enumerable.Range(0, 4))
            await tab.Page.Keyboard.PressAsync("Shift+ArrowRight");
        await Expect(utilization).ToHaveTextAsync(new Regex(@"^02:00:0\d\s+–$"));
        await Expect(power.Locator("[aria-live]")).ToContainTextAsync("Power –");

        // Dragging zooms, and the address says where to.
        var box = (await power.Locator(".plot").BoundingBoxAsync())!;
        await tab.Page.Mouse.MoveAsync(box.X + 100, box.Y + 60);
        await tab.Page.Mouse.DownAsync();
        await tab.Page.Mouse.MoveAsync(box.X + 160, box.Y + 60);
        await tab.Page.Mouse.UpAsync();
        await Expect(tab.Page).ToHaveURLAsync(FromAndTo());
        await Expect(power).ToHaveAttributeAsync("data-gaps", "0");
        Assert.Contains("from=2025-07-18T20", await power.GetByLabel("Explore Power").GetAttributeAsync("href"), StringComparison.Ordinal);
        await tab.Page.GoBackAsync();
        await Expect(power).ToHaveAttributeAsync("data-gaps", "1");

        await tab.GoAsync("gpu?host=node-b&gpu=1");
        await Expect(tab.Locator(".facts")).ToContainTextAsync(DashboardFixture.Hostile);
        await Expect(tab.Locator("table.compact")).ToContainTextAsync(DashboardFixture.Hostile);
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task Explore_adds_compares_and_gives_a_csv()
    {
        await using var tab = await fleet.OpenAsync("explore");
        await tab.Page.GetByLabel("Host").FillAsync("node-a");
        await tab.Page.GetByLabel("GPU", new() { Exact = true }).FillAsync("*");
        await tab.Page.GetByLabel("Metric").SelectOptionAsync("power_w");
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        var lines = tab.Locator(".legend-table tbody tr");
        await Expect(lines).ToHaveCountAsync(4);
        await Expect(lines.First).ToContainTextAsync("400 W");
        await Expect(lines.First).ToHaveAttributeAsync("data-gaps", "1");
        await Expect(lines.Nth(3)).ToHaveAttributeAsync("data-points", "0");
        await tab.Page.GetByLabel("Compare with").SelectOptionAsync("before");
        await Expect(lines).ToHaveCountAsync(8);
        Assert.Contains("compare=before", tab.View, StringComparison.Ordinal);
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Table" }).ClickAsync();
        await Expect(tab.Locator(".compact-values tbody tr").First).ToContainTextAsync("400");

        var file = await tab.Page.RunAndWaitForDownloadAsync(() => tab.Page.GetByRole(AriaRole.Button, new() { Name = "Download CSV" }).ClickAsync());
        var text = await File.ReadAllTextAsync(await file.PathAsync(), TestContext.Current.CancellationToken);
        Assert.StartsWith("time,node-a / 0 Power (W),", text, StringComparison.Ordinal);
        Assert.Contains("Z,400,", text, StringComparison.Ordinal);
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task Explore_draws_queries_beside_series_and_says_what_is_wrong_with_one()
    {
        await using var tab = await fleet.OpenAsync("explore?s=node-a/0/power_w");
        var query = tab.Page.GetByLabel("PromQL");
        await query.FillAsync("max by (host_id) (power_w)");
        await query.PressAsync("Enter");
        var lines = tab.Locator(".legend-table tbody tr");
        await Expect(lines).ToHaveCountAsync(3);
        await Expect(lines.Nth(1).Locator("th")).ToHaveTextAsync("node-a");
        await Expect(lines.Nth(1)).ToContainTextAsync("400");
        await Expect(lines.Nth(2).Locator("th")).ToHaveTextAsync("node-b");
        await Expect(lines.Nth(2)).ToContainTextAsync("600");
        await Expect(tab.Locator(".explore-chart")).ToHaveCountAsync(2);
        Assert.Contains("q=max+by+%28host_id%29+%28power_w%29", tab.View, StringComparison.Ordinal);

        await tab.Page.GetByLabel("Compare with").SelectOptionAsync("before");
        await Expect(lines).ToHaveCountAsync(6);
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Remove max by (host_id) (power_w)" }).First.ClickAsync();
        await Expect(lines).ToHaveCountAsync(2);
        await tab.AssertWellAsync();

        await tab.GoAsync("explore?q=power_w{host_id%3D%22node-x%22}");
        await Expect(tab.Locator(".explore-page div[role=alert]")).ToContainTextAsync("nothing in this range");
        await tab.GoAsync("explore?q=predict_linear(power_w[5m], 60)");
        await Expect(tab.Locator(".explore-page div[role=alert]")).ToContainTextAsync("predict_linear is not supported here");
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Remove predict_linear" }).ClickAsync();
        await Expect(tab.Locator(".explore-page .notice")).ToContainTextAsync("Nothing is chosen yet");
    }

    [Fact]
    public async Task A_csv_has_no_formulas()
    {
        await using var tab = await fleet.OpenAsync("explore");
        var text = await tab.Page.EvaluateAsync<string>("""
            async () => (await import('./dashboard/csv.js')).csv([['=1+1', '+1', '-1', '@x', '\tx', '\rx', 'a"b,c', -1, null]])
            """);
        Assert.Equal("'=1+1,'+1,'-1,'@x,'\tx,\"'\rx\",\"a\"\"b,c\",-1,\r\n", text);
    }

    [Fact]
    public async Task Usage_folds_hours_into_a_week_of_the_zone_and_knows_a_price()
    {
        await using var tab = await fleet.OpenAsync("usage?range=24h&tz=utc&price=2");
        // 18:00 to 21:00 UTC on a Friday, which is 23:30 to 02:30 in India.
        var known = tab.Locator("table.week td[data-value]:not([data-value=''])");
        await Expect(known).ToHaveCountAsync(3);
        await Expect(known.First).ToHaveAttributeAsync("title", new Regex("^Fri 18:00, utilization "));
        await Expect(tab.Locator("[data-card=idle_held_hours] .note")).ToHaveTextAsync("costs 6.00");
        await Expect(tab.Locator(".breakdown tr[data-name=research]")).ToBeVisibleAsync();
        await tab.GoAsync("usage?range=24h&tz=local&price=2");
        await Expect(known.First).ToHaveAttributeAsync("title", new Regex("^(Fri 23|Sat 00):00"));
        await Expect(tab.Locator("#tz")).ToHaveTextAsync("Local");
        await tab.Locator("#tz").ClickAsync();
        await Expect(tab.Locator("#tz")).ToHaveTextAsync("UTC");
        Assert.Contains("tz=utc", tab.View, StringComparison.Ordinal);
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task The_pipeline_says_that_no_queue_is_configured_and_what_the_store_has()
    {
        await using var tab = await fleet.OpenAsync("pipeline");
        await Expect(tab.Locator("[data-stage=queue]")).ToContainTextAsync("No queue is configured");
        await Expect(tab.Locator("[data-stage=store] [data-fact=rows] dd")).ToHaveTextAsync(Digits());
        await Expect(tab.Locator("[data-stage=store] [data-fact=bytes-per-sample] dd")).ToHaveTextAsync(Fraction());
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task The_pipeline_shows_topics_groups_and_lag()
    {
        using var file = PipelineTests.FileWithHistory();
        await using var queue = await FakeQueue.StartAsync();
        PipelineTests.Describe(queue, file.TopicId);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address }, new FakeTimeProvider(DashboardFixture.Now));
        await using var tab = await fleet.OpenAsync("pipeline", address: server.Client.BaseAddress);

        await Expect(tab.Locator("[data-stage=collectors]")).ToContainTextAsync("paused");
        await Expect(tab.Locator("[data-stage=collectors] [data-fact=lag] dd")).ToHaveTextAsync("12\u00a0records");
        var topic = tab.Locator("[aria-label='Topic telemetry'] tbody tr").First;
        await Expect(topic.Locator("td").Nth(1)).ToHaveTextAsync("20");
        await Expect(topic.Locator("td").Nth(6)).ToHaveTextAsync("3");
        var group = tab.Locator("[aria-label='Partitions of collectors'] tbody tr");
        await Expect(group.First).ToContainTextAsync("collector-0/17");
        await Expect(group.Nth(1)).ToContainTextAsync("no owner");
        await Expect(tab.Locator("section[aria-label='Dead letters']")).ToContainTextAsync("undecodable");

        var lag = tab.Locator("[data-group=collectors] [data-chart=lag_records]");
        await Expect(lag).ToHaveAttributeAsync("data-points", "6");
        await Expect(lag.Locator(".chart-read")).ToHaveTextAsync("200 records");
        await Expect(tab.Locator("[data-chart=lag_seconds] .chart-read")).ToContainTextAsync("20\u00a0s");
        await Expect(tab.Locator("[data-chart=rates] .chart-read")).ToHaveTextAsync("10\u00a0/s · 0\u00a0/s");
        await tab.Page.RunAndWaitForResponseAsync(
            () => tab.Locator(".lag-panel").GetByRole(AriaRole.Button, new() { Name = "24h" }).ClickAsync(), response => response.Url.Contains("time_range=24h", StringComparison.Ordinal));
        Assert.Contains("range=24h", tab.View, StringComparison.Ordinal);
        await tab.AssertWellAsync();
    }

    [Fact]
    public async Task Records_that_are_written_arrive_by_themselves()
    {
        await using var tab = await fleet.OpenAsync("gpu?host=node-a&gpu=0");
        await Expect(tab.Locator("#live")).ToHaveAttributeAsync("data-state", "live");
        var figure = tab.Locator(".siblings tr[aria-current] .bar .figure").First;
        await Expect(figure).ToHaveTextAsync("87\u00a0%");
        fleet.WriteBusy(42);
        await Expect(figure).ToHaveTextAsync("42\u00a0%");
        fleet.WriteBusy(87);
        await Expect(figure).ToHaveTextAsync("87\u00a0%");

        await tab.Locator("#live").ClickAsync();
        await Expect(tab.Locator("#live")).ToHaveAttributeAsync("data-state", "paused");
        await tab.Locator("#live").ClickAsync();
        await Expect(tab.Locator("#live")).ToHaveAttributeAsync("data-state", "live");
        await tab.AssertWellAsync();
    }

    [GeneratedRegex("^[4-9][0-9]$")]
    private static partial Regex LargerThan40();

    [GeneratedRegex("from=2025-07-18T20.*to=2025-07-18T20")]
    private static partial Regex FromAndTo();

    [GeneratedRegex("^[0-9,]{4,}$")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^0\.[0-9]+$")]
    private static partial Regex Fraction();
}
