using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Tests.Hosting;

public sealed class DashboardLogTests
{
    [Fact]
    public void The_newest_lines_are_kept_up_to_their_number()
    {
        var store = Store(new LogLimits { LinesMax = 3 });
        for (var i = 1; i <= 5; i++)
            store.Add("a", $"line {i}", isError: false);
        Assert.Equal(["line 3", "line 4", "line 5"], store.After(0, 10).Select(line => line.Content.Text));
        Assert.Equal([3L, 4], store.After(1, 2).Select(line => line.Sequence));
        Assert.Equal([5L], store.After(4, 10).Select(line => line.Sequence));
        Assert.Empty(store.After(5, 10));
        Assert.Equal(5, store.LastSequence);
    }

    [Fact]
    public void The_newest_lines_are_kept_up_to_their_size()
    {
        var store = Store(new LogLimits { BytesMax = 2 * 25, LineCharsMax = 30 });
        for (var i = 0; i < 5; i++)
            store.Add("a", new string((char)('a' + i), 10), isError: false);
        Assert.Equal(["dddddddddd", "eeeeeeeeee"], store.After(0, 10).Select(line => line.Content.Text));

        // One that is too long is cut, and kept even if nothing else can be.
        store.Add("a", new string('x', 100), isError: false);
        Assert.Equal(new string('x', 30) + "…", Assert.Single(store.After(0, 10)).Content.Text);
    }

    [Theory]
    [InlineData("12:00:00.123 warn: Some.Category[12] it is late", LogLevel.Warning, "Some.Category", "it is late")]
    [InlineData("fail: Some.Category[0] it broke", LogLevel.Error, "Some.Category", "it broke")]
    [InlineData("""{"Timestamp":"2026-01-01T00:00:00.000Z","EventId":1,"LogLevel":"Error","Category":"C","Message":"m","Exception":"E: x"}""", LogLevel.Error, "C", "m E: x")]
    [InlineData("""{"some":"json"}""", null, null, """{"some":"json"}""")]
    [InlineData("{not json}", null, null, "{not json}")]
    [InlineData("[1]", null, null, "[1]")]
    [InlineData("\u001b[31mred\u001b[0m", null, null, "red")]
    [InlineData("<script>alert(1)</script>", null, null, "<script>alert(1)</script>")]
    public void A_line_is_read_in_the_formats_of_the_services(string line, LogLevel? level, string? category, string text) =>
        Assert.Equal(new LogContent(level, category, text), LogContent.Parse(line));

    [Fact]
    public void The_lines_of_a_stack_trace_have_the_level_of_their_event()
    {
        var store = Store(new LogLimits());
        store.Add("a", "fail: C[0] it broke", isError: false);
        store.Add("b", "info: C[0] all is well", isError: false);
        store.Add("a", "   at Some.Method()", isError: false);
        store.Add("a", "plain", isError: false);
        Assert.Equal([LogLevel.Error, LogLevel.Information, LogLevel.Error, null], store.After(0, 10).Select(line => line.Content.Level));
    }

    [Fact]
    public async Task A_browser_gets_what_was_and_what_comes()
    {
        await using var host = new TestHost(DashboardClient.Args);
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        using var dashboard = await DashboardClient.SignInAsync(host);
        using var events = await dashboard.EventsAsync();

        var first = await events.LineAsync(text => text.StartsWith("probe is up on port", StringComparison.Ordinal));
        Assert.Equal("probe-0", first.GetProperty("source").GetString());
        Assert.False(first.GetProperty("isError").GetBoolean());
        await host.PostAsync(TestHost.Url(probe), "/exit?code=3");
        var failed = await events.LineAsync(text => text.StartsWith("probe-0 ended after", StringComparison.Ordinal));
        Assert.Equal("host", failed.GetProperty("source").GetString());
        Assert.Equal("warn", failed.GetProperty("level").GetString());
        Assert.True(failed.GetProperty("id").GetInt64() > first.GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task A_browser_that_comes_back_goes_on_where_it_was_and_is_told_what_it_missed()
    {
        await using var host = new TestHost(DashboardClient.Args);
        host.Builder.Services.AddSingleton(new LogLimits { LinesMax = 2 });
        host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        var store = host.App.Services.GetRequiredService<LogStore>();
        using var dashboard = await DashboardClient.SignInAsync(host);
        store.Add("test", "seen", isError: false);
        var seen = store.LastSequence;
        for (var i = 0; i < 5; i++)
            store.Add("test", $"later {i}", isError: false);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/stream") { Headers = { { "Last-Event-ID", $"{seen}" } } };
        using var response = await dashboard.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, host.Limit);
        using var events = new EventReader(new StreamReader(await response.Content.ReadAsStreamAsync(host.Limit)), host.Limit);
        var (name, data) = await events.NextAsync();
        Assert.Equal("resources", name);
        (name, data) = await events.NextAsync();
        Assert.Equal("logs", name);
        Assert.Equal(3, data.GetProperty("missed").GetInt32());
        Assert.Equal(["later 3", "later 4"], data.GetProperty("lines").EnumerateArray().Select(line => line.GetProperty("text").GetString()));
    }

    private static LogStore Store(LogLimits limits) => new(limits, TimeProvider.System);
}
