using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Gateway.Commands.Top;

namespace Telemetry.Tests.Gateway.Commands;

public sealed class TopTests : IAsyncLifetime
{
    private readonly StoreFile _file = new();
    private GatewayServer? _server;

    private string Url => _server!.Client.BaseAddress!.ToString();

    public async ValueTask InitializeAsync()
    {
        var now = FleetFixture.Now;
        _file.Write(
            FleetFixture.Record(now.AddSeconds(-1), FleetFixture.Busy, ("gpu_utilization", 87), ("memory_used_mb", 53_555), ("memory_free_mb", 28_365), ("temperature_c", 93), ("power_w", 605.8)),
            FleetFixture.Record(now.AddSeconds(-2.5), FleetFixture.Held, ("gpu_utilization", 0), ("memory_used_mb", 4096)),
            FleetFixture.Record(now.AddSeconds(-7), FleetFixture.Busy with { HostId = "node-c", Model = "L40S", Pod = "[red]\e[31mevil\n" }, ("temperature_c", 40), ("power_w", 100)),
            FleetFixture.Record(now.AddMinutes(-9), FleetFixture.Lost, ("gpu_utilization", 99), ("temperature_c", 99), ("power_w", 999)));
        _server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path }, new FakeTimeProvider(now));
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    [Fact]
    public async Task A_page_without_a_terminal_is_plain_text_and_what_is_unknown_is_a_dash()
    {
        var lines = (await GatewayRun.OfAsync("top", "--url", Url)).Text.Split('\n');
        Assert.Matches("^gateway http://127.0.0.1:\\d+   \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ   by util$", lines[0]);
        Assert.Equal("4 GPUs: 1 unknown, 1 active, 1 idle_held, 1 lost   power 706 W   hottest 93 °C node-a/0", lines[1]);
        Assert.Equal(
            [
                "host    gpu  util             memory                    temp  power  state       age  pod",
                "node-a  0    ████████▊   87%  ██████▌     52.3/80 GiB  93 °C  606 W  active     1.0s  research/train-0",
                "node-a  1                 0%                  4.0 GiB      –      –  idle_held  2.5s  –",
                "node-b  0                  –                        –      –      –  lost         9m  –",
                "node-c  0                  –                        –  40 °C  100 W  unknown    7.0s  research/[red]\\u001b[31mevil\\u000a",
            ],
            lines[3..8]);
    }

    [Theory]
    [InlineData("util", "node-a/0 node-a/1 node-b/0 node-c/0")]
    [InlineData("mem", "node-a/0 node-a/1 node-b/0 node-c/0")]
    [InlineData("temp", "node-a/0 node-c/0 node-a/1 node-b/0")]
    [InlineData("power", "node-a/0 node-c/0 node-a/1 node-b/0")]
    [InlineData("age", "node-b/0 node-c/0 node-a/1 node-a/0")]
    [InlineData("host", "node-a/0 node-a/1 node-b/0 node-c/0")]
    public async Task It_is_sorted(string order, string expected) => Assert.Equal(expected, Names(await JsonAsync("--sort", order)));

    [Theory]
    [InlineData("node-a/0", "--filter", "train-0")]
    [InlineData("node-c/0", "--filter", "l40")]
    [InlineData("node-a/0 node-c/0", "--filter", "RESEARCH")]
    [InlineData("node-b/0", "--state", "lost")]
    [InlineData("node-a/1", "--state", "idle_held", "--filter", "node-a")]
    [InlineData("node-a/0 node-a/1", "--limit", "2")]
    [InlineData("", "--filter", "nowhere")]
    public async Task Only_what_is_asked_for_is_shown(string expected, params string[] options) =>
        Assert.Equal(expected, Names(await JsonAsync(options)));

    [Fact]
    public async Task Json_has_the_records_of_the_api_and_the_figures()
    {
        var answer = await JsonAsync("--limit", "1");
        Assert.Equal(4, answer.GetProperty("total").GetInt32());
        Assert.Equal(
            """{"gpus":4,"states":{"unknown":1,"active":1,"idle":0,"idle_held":1,"lost":1},"power_w":705.8,"hottest_c":93,"hottest":"node-a/0"}""",
            answer.GetProperty("summary").GetRawText());
        var latest = (await _server!.GetAsync("/api/v1/telemetry/latest?host_id=node-a&gpu_id=0")).GetProperty("data")[0];
        Assert.True(JsonElement.DeepEquals(latest, answer.GetProperty("data")[0]));
    }

    [Fact]
    public async Task In_a_terminal_keys_sort_scroll_and_end_and_the_terminal_is_left_as_it_was()
    {
        var keys = new Queue<ConsoleKey>([ConsoleKey.S, ConsoleKey.DownArrow, ConsoleKey.Q]);
        var isPause = true;
        // Five lines: four for the head, and one GPU; a pause after each key, so that each is drawn.
        var terminal = new TerminalKeys(
            () => (100, TopPage.HeadLines + 2),
            () => (isPause = !isPause) || !keys.TryDequeue(out var key) ? null : new ConsoleKeyInfo('\0', key, false, false, false));
        var text = (await GatewayRun.InTerminalAsync(terminal, "top", "--url", Url, "--interval", "1h")).Text;
        Assert.StartsWith("\e[?1049h\e[?25l\e[H", text, StringComparison.Ordinal);
        Assert.EndsWith("\e[?25h\e[?1049l", text, StringComparison.Ordinal);
        var pages = text.Split("\e[H")[1..];
        Assert.Equal(3, pages.Length);
        Assert.Contains("by util   1–1 of 4", pages[0], StringComparison.Ordinal);
        Assert.Contains("by mem   1–1 of 4", pages[1], StringComparison.Ordinal);
        Assert.Contains("by mem   2–2 of 4", pages[2], StringComparison.Ordinal);
        Assert.Contains("\e[32m", pages[0], StringComparison.Ordinal);
        Assert.All(pages, page => Assert.True(page.Count(c => c == '\n') <= TopPage.HeadLines + 2));
    }

    [Fact]
    public async Task Once_in_a_terminal_has_colours_and_does_not_steer_it()
    {
        var text = (await GatewayRun.InTerminalAsync(new TerminalKeys(() => (100, 24), () => null), "top", "--url", Url, "--once")).Text;
        Assert.Contains("\e[32m", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("\e\\[[^m]*[A-Zabcdefghijkl]", text);
    }

    [Fact]
    public async Task Characters_that_take_two_columns_are_counted_and_cut_as_two()
    {
        using var file = new StoreFile();
        var now = FleetFixture.Now;
        file.Write(
            FleetFixture.Record(now.AddSeconds(-1), FleetFixture.Busy with { HostId = "node-1" }, ("gpu_utilization", 10)),
            FleetFixture.Record(now.AddSeconds(-1), FleetFixture.Busy with { HostId = "東京の長い名前の機械🚀", Pod = "e\u0301tude" }, ("gpu_utilization", 20)));
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path }, new FakeTimeProvider(now));
        var url = server.Client.BaseAddress!.ToString();
        Assert.Equal(
            [
                "host                    gpu  util             memory         temp  power  state    age  pod",
                "東京の長い名前の機械🚀  0    ██          20%              –     –      –  active  1.0s  research/e\u0301tude",
                "node-1                  0    █           10%              –     –      –  active  1.0s  research/train-0",
            ],
            (await GatewayRun.OfAsync("top", "--url", url)).Text.Split('\n')[3..6]);
        var narrow = await GatewayRun.WithoutColoursAsync(new TerminalKeys(() => (24, 24), () => null), "top", "--once", "--url", url);
        Assert.StartsWith("東京の長い…  0", narrow.Text.Split('\n')[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_in_all_is_known_from_what_is_free_or_by_itself()
    {
        using var file = new StoreFile();
        file.Write(
            FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("memory_used_mb", 1024), ("memory_total_mb", 81_920)),
            FleetFixture.Record(FleetFixture.Now, FleetFixture.Held, ("memory_used_mb", 2048), ("memory_free_mb", 79_872)));
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path }, new FakeTimeProvider(FleetFixture.Now));
        var lines = (await GatewayRun.OfAsync("top", "--sort", "mem", "--url", server.Client.BaseAddress!.ToString())).Text.Split('\n');
        Assert.Contains("2.0/80 GiB", lines[4], StringComparison.Ordinal);
        Assert.Contains("1.0/80 GiB", lines[5], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(30)]
    [InlineData(5)]
    public async Task Lines_are_cut_and_never_wrap(int width)
    {
        var text = (await GatewayRun.InTerminalAsync(new TerminalKeys(() => (width, 24), () => null), "top", "--url", Url, "--once")).Text;
        var lines = System.Text.RegularExpressions.Regex.Replace(text, "\e\\[[0-9;]*m", "").TrimEnd('\n').Split('\n');
        Assert.Equal(TopPage.HeadLines + 4, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        Assert.StartsWith("node", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_empty_says_what_to_do()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = file.Path });
        Assert.Contains("no GPU has reported yet", (await GatewayRun.OfAsync("top", "--url", server.Client.BaseAddress!.ToString())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_cannot_be_reached_or_is_none_is_a_line_and_exit_code_1()
    {
        Assert.StartsWith("gateway: no gateway answers at http://127.0.0.1:1: ", (await GatewayRun.OfAsync("top", "--url", "http://127.0.0.1:1")).Refusal(1), StringComparison.Ordinal);
        Assert.EndsWith("answered 404: there is nothing at '/elsewhere/api/v1/telemetry/latest'; /swagger/index.html lists the routes", (await GatewayRun.OfAsync("top", "--json", "--url", Url + "elsewhere")).Refusal(1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top --sort size", "--sort: 'size' is not accepted: expected util or mem or temp or power or age or host")]
    [InlineData("top --state busy", "--state: 'busy' is not accepted: expected unknown or active or idle or idle_held or lost")]
    [InlineData("top --interval 5", "--interval: '5' is not accepted: expected a duration such as 500ms, 5s or 1m from 100ms to 1h")]
    [InlineData("top --url localhost", "--url: 'localhost' is not accepted: expected a URL, as http://localhost:8080")]
    [InlineData("top --limit 0", "--limit: '0' is not accepted: expected a whole number of at least 1")]
    [InlineData("bottom", "'bottom' is not accepted: gateway takes top, doctor; --help says more")]
    public async Task A_line_that_makes_no_sense_is_refused(string line, string refusal) =>
        Assert.Equal("gateway: " + refusal, (await GatewayRun.OfAsync(line.Split(' '))).Refusal(2));

    [Theory]
    [InlineData(null, "")]
    [InlineData(0.0, "")]
    [InlineData(0.5, "█████")]
    [InlineData(0.13, "█▎")]
    [InlineData(1.7, "██████████")]
    [InlineData(-1.0, "")]
    public void A_bar_has_eighths(double? share, string expected) => Assert.Equal(expected, TopText.Bar(share, 10));

    [Theory]
    [InlineData(0.44, "0.4s")]
    [InlineData(119, "119s")]
    [InlineData(7199, "119m")]
    [InlineData(7200, "2h")]
    [InlineData(200_000, "2d")]
    public void An_age_is_in_its_largest_unit(double seconds, string expected) => Assert.Equal(expected, TopText.Age(seconds));

    private async Task<JsonElement> JsonAsync(params string[] options) =>
        JsonElement.Parse((await GatewayRun.OfAsync(["top", "--json", "--url", Url, .. options])).Text);

    private static string Names(JsonElement answer) =>
        string.Join(' ', answer.GetProperty("data").EnumerateArray().Select(r => $"{r.GetProperty("host_id").GetString()}/{r.GetProperty("gpu_id").GetString()}"));
}
