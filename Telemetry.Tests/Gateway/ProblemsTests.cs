using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Storage.Sqlite;

namespace Telemetry.Tests.Gateway;

public sealed class ProblemsTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/api")]
    [InlineData("/api/v1")]
    [InlineData("/api/v2/telemetry")]
    [InlineData("/api/v1/telemetry/hosts/node-a")]
    [InlineData("/api/v1/telemetry/hosts/rack/node/gpus")]
    [InlineData("/swagger/nowhere.js")]
    public async Task An_unknown_route_is_404(string path)
    {
        var problem = await fleet.Server.GetProblemAsync(path, 404);
        Assert.Equal("urn:telemetry:problem:unknown-route", problem.GetProperty("type").GetString());
        Assert.Equal($"there is nothing at '{path}'; /swagger/index.html lists the routes", problem.GetProperty("detail").GetString());
        Assert.False(problem.TryGetProperty("parameter", out _));
    }

    [Theory]
    [InlineData("POST", "/api/v1/telemetry")]
    [InlineData("PUT", "/api/v1/telemetry/latest")]
    [InlineData("DELETE", "/api/v1/telemetry/hosts/node-a/gpus")]
    [InlineData("PATCH", "/health")]
    [InlineData("POST", "/metrics")]
    [InlineData("POST", "/openapi/v1.json")]
    [InlineData("POST", "/")]
    [InlineData("OPTIONS", "/api/v1/telemetry")]
    [InlineData("BREW", "/api/v1/telemetry")]
    public async Task Another_method_is_405_with_those_that_are_possible(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await fleet.Server.Client.SendAsync(request, Cancelled);
        var problem = await GatewayServer.ProblemAsync(response, 405);
        Assert.Equal($"{method} is not possible here; possible: GET, HEAD", problem.GetProperty("detail").GetString());
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/csv")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task A_body_of_any_type_is_415(string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/telemetry");
        request.Content = new ByteArrayContent("{}"u8.ToArray());
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await fleet.Server.Client.SendAsync(request, Cancelled);
        await GatewayServer.ProblemAsync(response, 415);
    }

    [Fact]
    public async Task Too_many_requests_are_429_with_the_time_to_wait_but_health_and_metrics_are_answered()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, RequestBurstMax = 3, RequestsPerSecondMax = 1 });
        HttpResponseMessage? refused = null;
        for (var i = 0; i < 20 && refused is null; i++)
        {
            var response = await server.Client.GetAsync(new Uri("/api/v1/telemetry", UriKind.Relative), Cancelled);
            if (response.StatusCode != HttpStatusCode.OK)
                refused = response;
            else
                response.Dispose();
        }
        Assert.NotNull(refused);
        var problem = await GatewayServer.ProblemAsync(refused, 429);
        Assert.Equal("urn:telemetry:problem:too-many-requests", problem.GetProperty("type").GetString());
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal("*", Assert.Single(await AllowedOriginAsync(server)));
        refused.Dispose();

        await server.GetAsync("/health");
        await server.GetAsync("/alive");
        using var metrics = await server.Client.GetAsync(new Uri("/metrics", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.OK, metrics.StatusCode);
    }

    [Fact]
    public async Task A_store_that_is_no_database_is_500_without_internals()
    {
        using var file = new StoreFile();
        await File.WriteAllTextAsync(file.Path, string.Concat(Enumerable.Repeat("this is no database. ", 500)), Cancelled);
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        foreach (var path in new[] { "/api/v1/telemetry", "/api/v1/telemetry/hosts", "/api/v1/stats/summary", "/api/v1/pipeline", "/health" })
        {
            var problem = await server.GetProblemAsync(path, 500);
            Assert.Equal("the gateway could not answer; its log says why", problem.GetProperty("detail").GetString());
            var text = problem.GetRawText();
            foreach (var secret in new[] { "Exception", ".db", "SQL", "sqlite", "   at ", "/tmp" })
                Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
        }
        await server.GetAsync("/alive");
    }

    [Fact]
    public async Task A_store_that_another_program_has_locked_is_503_for_the_moment()
    {
        using var file = new StoreFile();
        file.Write(FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 1)));
        file.Close();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        using (var other = Database.Open(file.Path, readOnly: false, TimeSpan.Zero))
        {
            other.Execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
            var problem = await server.GetProblemAsync("/api/v1/telemetry/hosts", 503);
            Assert.Equal("urn:telemetry:problem:store-unavailable", problem.GetProperty("type").GetString());
            Assert.Equal("the store cannot be read just now; try again", problem.GetProperty("detail").GetString());
        }
        Assert.Equal(1, (await server.GetAsync("/api/v1/telemetry/hosts")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_stopped_with_503()
    {
        using var file = new StoreFile();
        await using var queue = await FakeQueue.StartAsync();
        queue.Hangs = true;
        var time = new FakeTimeProvider();
        await using var server = await GatewayServer.StartAsync(
            new() { DatabasePath = file.Path, MessageQueueAddress = queue.Address, QueueTimeout = TimeSpan.FromMinutes(5), QueryTimeout = TimeSpan.FromSeconds(30) }, time);

        var asking = server.GetProblemAsync("/api/v1/pipeline", 503);
        await queue.Called.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        time.Advance(TimeSpan.FromSeconds(31));

        var problem = await asking;
        Assert.Equal("urn:telemetry:problem:query-timeout", problem.GetProperty("type").GetString());
        Assert.Equal("the query was stopped after 30 s: ask for a shorter range, fewer metrics or one host", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Every_answer_forbids_guessing_and_framing()
    {
        foreach (var path in new[] { "/", "/api/v1/telemetry", "/nowhere", "/metrics", "/openapi/v1.json", "/swagger/index.html", "/api/v1/telemetry?page=0" })
        {
            using var response = await fleet.Server.Client.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("script-src 'unsafe", policy, StringComparison.Ordinal);
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    // A refusal without the header would look like a network error to a page.
    private static async Task<IEnumerable<string>> AllowedOriginAsync(GatewayServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/telemetry");
        request.Headers.Add("Origin", "https://elsewhere.example");
        using var response = await server.Client.SendAsync(request, Cancelled);
        return response.Headers.GetValues("Access-Control-Allow-Origin");
    }
}
