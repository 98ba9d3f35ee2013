using System.Net;

namespace Telemetry.Tests.Gateway;

public sealed class CorsTests
{
    private const string Origin = "https://elsewhere.example";

    [Theory]
    [InlineData("/api/v1/telemetry", 200)]
    [InlineData("/api/v1/telemetry?page=0", 400)]
    [InlineData("/api/v1/telemetry?host_id=none", 404)]
    [InlineData("/nowhere", 404)]
    public async Task Pages_of_any_origin_may_read_answers_and_errors_without_credentials(string path, int status)
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        using var response = await SendAsync(server, HttpMethod.Get, path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("*", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal("Link,Retry-After,Content-Disposition,ETag", Assert.Single(response.Headers.GetValues("Access-Control-Expose-Headers")));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_preflight_allows_get_and_head_with_any_header()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });
        using var response = await SendAsync(server, HttpMethod.Options, "/api/v1/telemetry", ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "x-request-id"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("*", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal("GET,HEAD", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Methods")));
        Assert.Equal("x-request-id", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Headers")));
    }

    [Fact]
    public async Task Switched_off_no_header_allows_anything_and_a_preflight_is_405()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path, CorsEnabled = false });
        using var answer = await SendAsync(server, HttpMethod.Get, "/api/v1/telemetry");
        using var preflight = await SendAsync(server, HttpMethod.Options, "/api/v1/telemetry", ("Access-Control-Request-Method", "GET"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, preflight.StatusCode);
        foreach (var response in new[] { answer, preflight })
            Assert.DoesNotContain(response.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayServer server, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", Origin);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
