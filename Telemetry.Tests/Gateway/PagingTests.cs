using System.Text.Json;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

public sealed class PagingTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Route = "/api/v1/telemetry";

    [Fact]
    public async Task Walking_by_cursor_sees_each_record_once_while_others_arrive()
    {
        using var file = new StoreFile();
        var before = Enumerable.Range(0, 500).Select(i => FleetFixture.Record(FleetFixture.First.AddSeconds(i / 4), FleetFixture.Busy, ("n", i))).ToList();
        file.Write([.. before]);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });

        var seen = new List<double>();
        var path = $"{Route}?page_size=37";
        for (var page = 0; ; page++)
        {
            var answer = await server.GetAsync(path);
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(r => r.GetProperty("metrics").GetProperty("n").GetDouble()));
            // Newer than all, as live records are.
            file.Write(FleetFixture.Record(FleetFixture.Now.AddSeconds(page), FleetFixture.Busy, ("n", 10_000 + page)));
            var pagination = answer.GetProperty("pagination");
            Assert.Equal(500, pagination.GetProperty("total").GetInt64());
            Assert.Equal(page > 0, pagination.GetProperty("page").ValueKind == JsonValueKind.Null);
            if (!pagination.GetProperty("has_next").GetBoolean())
                break;
            path = $"{Route}?page_size=37&cursor={pagination.GetProperty("next_cursor").GetString()}";
        }

        Assert.Equal(Enumerable.Range(0, 500).Reverse().Select(i => (double)i), seen);
    }

    [Fact]
    public async Task The_link_to_the_next_page_can_be_followed_to_the_end()
    {
        var path = $"{Route}?host_id=node-a&gpu_id=0&start_time=2025-07-18T20:50:00%2B00:00&metrics=gpu_utilization&page=1&page_size=25";
        var seen = new List<double>();
        for (var pages = 1; ; pages++)
        {
            using var response = await fleet.Server.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            var data = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("data");
            seen.AddRange(data.EnumerateArray().Select(r => r.GetProperty("metrics").GetProperty("gpu_utilization").GetDouble()));
            if (!response.Headers.TryGetValues("Link", out var link))
            {
                Assert.Equal(3, pages);
                break;
            }
            var text = Assert.Single(link);
            Assert.Matches("^</api/v1/telemetry\\?[^<> ]+>; rel=\"next\"$", text);
            Assert.DoesNotContain("page=", text, StringComparison.Ordinal);
            path = text[1..text.IndexOf('>', StringComparison.Ordinal)];
        }
        Assert.Equal(Enumerable.Range(0, FleetFixture.RowsPerGpu).Reverse().Select(i => (double)i), seen);
    }

    [Fact]
    public async Task A_cursor_of_another_query_is_refused()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?host_id=node-a&page_size=10");
        var cursor = answer.GetProperty("pagination").GetProperty("next_cursor").GetString();

        await fleet.Server.GetAsync($"{Route}?host_id=node-a&page_size=20&metrics=power_w&cursor={cursor}");
        foreach (var other in new[] { "host_id=node-b", "host_id=node-a&gpu_id=0", "host_id=node-a&end_time=2025-07-18T21:00:00Z", "page_size=10" })
        {
            var problem = await fleet.Server.GetProblemAsync($"{Route}?{other}&cursor={cursor}", 400);
            Assert.Equal("cursor", problem.GetProperty("parameter").GetString());
        }
    }

    [Fact]
    public async Task A_page_together_with_a_cursor_is_refused()
    {
        var answer = await fleet.Server.GetAsync($"{Route}?page_size=10");
        var cursor = answer.GetProperty("pagination").GetProperty("next_cursor").GetString();
        var problem = await fleet.Server.GetProblemAsync($"{Route}?page=1&page_size=10&cursor={cursor}", 400);
        Assert.Equal("page: is not possible together with cursor; give one or the other", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("page=101&page_size=1000")]
    [InlineData("page=1001")]
    public async Task A_deep_page_is_refused_with_a_hint_at_the_cursor(string query)
    {
        var problem = await fleet.Server.GetProblemAsync($"{Route}?{query}", 400);
        Assert.Equal("page", problem.GetProperty("parameter").GetString());
        Assert.Contains("next_cursor", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("page=100&page_size=1000")]
    [InlineData("page=1000")]
    public async Task The_deepest_page_is_still_answered(string query)
    {
        var answer = await fleet.Server.GetAsync($"{Route}?{query}");
        Assert.Equal(0, answer.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public void A_cursor_with_any_character_changed_is_refused()
    {
        var filters = new RowQuery { HostId = "node-a" };
        var cursor = PageCursor.Write(new RowCursor(1_752_872_390_000, 12_345, 3), 77, filters);
        Assert.True(PageCursor.TryRead(cursor, filters, out var read, out var total));
        Assert.Equal(new RowCursor(1_752_872_390_000, 12_345, 3), read);
        Assert.Equal(77, total);
        Assert.Matches("^[A-Za-z0-9_-]+$", cursor);

        for (var i = 0; i < cursor.Length; i++)
        {
            foreach (var replacement in "AQgw09-_")
            {
                var changed = cursor[..i] + replacement + cursor[(i + 1)..];
                Assert.Equal(changed == cursor, PageCursor.TryRead(changed, filters, out _, out _));
            }
        }
        Assert.False(PageCursor.TryRead(cursor[..^1], filters, out _, out _));
        Assert.False(PageCursor.TryRead(cursor + "A", filters, out _, out _));
        Assert.False(PageCursor.TryRead("", filters, out _, out _));
        Assert.False(PageCursor.TryRead(new string('=', cursor.Length), filters, out _, out _));
    }

    [Fact]
    public void A_cursor_tells_apart_filters_that_look_alike()
    {
        var at = new RowCursor(5, 6, 7);
        var cursor = PageCursor.Write(at, 1, new RowQuery { HostId = "ab", GpuId = "c" });
        Assert.False(PageCursor.TryRead(cursor, new RowQuery { HostId = "a", GpuId = "bc" }, out _, out _));
        Assert.False(PageCursor.TryRead(cursor, new RowQuery { HostId = "abc" }, out _, out _));
    }
}
