using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Telemetry.Gateway.Commands.Top;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>The live page, on a screen that a test looks at with each look for a key.</summary>
public sealed class TopLoopTests
{
    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l";

    private readonly StringWriter _screen = new();
    private (int Width, int Height) _size = (100, 24);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string[] Pages => _screen.ToString().Split("\e[H")[1..];

    [Fact]
    public async Task Keys_work_while_a_gateway_does_not_answer()
    {
        await using var gateway = await FakeGateway.StartAsync((http, n) => n == 1 ? http.Response.WriteAsync(FakeGateway.Latest) : FakeGateway.StalledAsync(http));
        await RunAsync(gateway, TimeSpan.FromMilliseconds(1), () =>
            gateway.Requests < 2 ? null : Pages.Length == 1 ? ConsoleKey.S : ConsoleKey.Q);
        Assert.Contains("by mem", Pages[1], StringComparison.Ordinal);
        Assert.Equal(2, gateway.Requests); // one at a time
    }

    [Fact]
    public async Task A_gateway_that_is_lost_leaves_the_page_and_says_that_it_is_old_until_it_is_back()
    {
        await using var gateway = await FakeGateway.StartAsync((http, n) =>
        {
            if (n == 2)
                http.Abort();
            return n == 2 ? Task.CompletedTask : http.Response.WriteAsync(FakeGateway.Latest);
        });
        const string old = "; what follows is old";
        await RunAsync(gateway, TimeSpan.FromMilliseconds(1), () =>
            Pages.Any(page => page.Contains(old, StringComparison.Ordinal)) && !Pages[^1].Contains(old, StringComparison.Ordinal) ? ConsoleKey.Q : null);
        var page = Pages.First(page => page.Contains(old, StringComparison.Ordinal));
        Assert.Contains($"no gateway answers at {gateway.Url.ToString().TrimEnd('/')}", page, StringComparison.Ordinal);
        Assert.Contains("node-a", page, StringComparison.Ordinal);
        Assert.DoesNotContain(old, Pages[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_of_another_size_is_drawn_anew()
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => http.Response.WriteAsync(FakeGateway.Latest));
        await RunAsync(gateway, TimeSpan.FromHours(1), () =>
        {
            _size = (30, 8);
            return Pages.Length > 1 ? ConsoleKey.Q : null;
        });
        Assert.Equal(2, Pages.Length);
        Assert.Contains(Lines(Pages[0]), line => line.Length > 30);
        Assert.All(Lines(Pages[1]), line => Assert.InRange(line.Length, 0, 30));
    }

    [Fact]
    public async Task A_line_is_emptied_before_its_text()
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => http.Response.WriteAsync(FakeGateway.Latest));
        _size = (20, 24);
        await RunAsync(gateway, TimeSpan.FromHours(1), () => ConsoleKey.Q);
        var lines = Pages[0].Split('\n')[..^1];
        Assert.Contains(lines, line => Plain(line).Length == 20);
        Assert.All(lines, line => Assert.StartsWith("\e[K", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Equal(0, line.LastIndexOf("\e[K", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ctrl_C_leaves_the_terminal_as_it_was(bool isAsking)
    {
        await using var gateway = await FakeGateway.StartAsync((http, n) => n == 1 ? http.Response.WriteAsync(FakeGateway.Latest) : FakeGateway.StalledAsync(http));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        await RunAsync(gateway, isAsking ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromHours(1), () =>
        {
            if (gateway.Requests == (isAsking ? 2 : 1))
                stop.Cancel();
            return null;
        }, stop.Token);
        Assert.True(stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Without_colours_it_is_live_all_the_same()
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => http.Response.WriteAsync(FakeGateway.Latest));
        var keys = new ConcurrentQueue<ConsoleKey>([ConsoleKey.Q]);
        var terminal = new TerminalKeys(() => (40, 24), () => keys.TryDequeue(out var key) ? Key(key) : null);
        var text = (await GatewayRun.WithoutColoursAsync(terminal, "top", "--url", $"{gateway.Url}")).Text;
        Assert.StartsWith(Enter, text, StringComparison.Ordinal);
        Assert.EndsWith(Leave, text, StringComparison.Ordinal);
        Assert.DoesNotMatch("\e\\[[0-9;]*m", text);
        // What cannot be steered is as narrow, and written once.
        var dumb = (await GatewayRun.WithoutColoursAsync(terminal with { IsSteerable = false }, "top", "--url", $"{gateway.Url}")).Text;
        Assert.DoesNotContain('\e', dumb);
        Assert.All(dumb.Split('\n'), line => Assert.InRange(line.Length, 0, 40));
    }

    [Fact]
    public async Task An_answer_that_does_not_end_is_waited_for_only_so_long()
    {
        await using var gateway = await FakeGateway.StartAsync((http, _) => FakeGateway.StalledAsync(http));
        using var client = new FleetClient(gateway.Url, TimeSpan.FromMilliseconds(100));
        var error = await Assert.ThrowsAsync<CommandException>(() => client.LatestAsync(Cancelled));
        Assert.Equal($"the gateway at {client.Url} did not answer within 0.1 s", error.Message);
    }

    [Fact]
    public async Task Answers_may_be_compressed()
    {
        var accepted = "";
        await using var gateway = await FakeGateway.StartAsync((http, n) =>
        {
            accepted = http.Request.Headers.AcceptEncoding.ToString();
            if (n == 1)
                return FakeGateway.CompressedAsync(http, FakeGateway.Latest);
            http.Response.Headers.ContentEncoding = "br";
            return http.Response.WriteAsync(FakeGateway.Latest);
        });
        using var client = new FleetClient(gateway.Url);
        Assert.Equal("node-a", Assert.Single(await client.LatestAsync(Cancelled)).HostId);
        Assert.Equal("gzip, br", accepted);
        Assert.EndsWith("is no gateway", (await Assert.ThrowsAsync<CommandException>(() => client.LatestAsync(Cancelled))).Message, StringComparison.Ordinal);
    }

    private async Task RunAsync(FakeGateway gateway, TimeSpan interval, Func<ConsoleKey?> key, CancellationToken? cancellationToken = null)
    {
        // Looks at the screen twenty times a second, and no longer than half a minute: what a test waits for is missing then.
        var looks = 0;
        var isBetween = true; // a key at a time
        var terminal = new TerminalKeys(() => _size, () =>
            (isBetween = !isBetween) ? null : Key(++looks > 600 ? ConsoleKey.Q : key()));
        using var client = new FleetClient(gateway.Url);
        await new TopLoop(client, new CommandConsole(_screen, TextWriter.Null, Colours: true), terminal, null, interval)
            .RunAsync(new TopView(TopSort.Util, null, null), cancellationToken ?? Cancelled);
        var text = _screen.ToString();
        Assert.StartsWith(Enter, text, StringComparison.Ordinal);
        Assert.EndsWith(Leave, text, StringComparison.Ordinal);
        Assert.InRange(looks, 0, 600);
    }

    private static ConsoleKeyInfo? Key(ConsoleKey? key) => key is { } pressed ? new ConsoleKeyInfo('\0', pressed, false, false, false) : null;

    private static string[] Lines(string page) => [.. page.Split('\n').Select(Plain)];

    private static string Plain(string line) => Regex.Replace(line, "\e\\[[0-9;?]*[A-Za-z]", "");
}
