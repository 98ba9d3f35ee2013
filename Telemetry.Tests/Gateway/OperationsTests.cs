using System.IO.Compression;
using System.Net;
using System.Text.Json;

namespace Telemetry.Tests.Gateway;

public sealed class OperationsTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_the_store_is_there_the_gateway_is_healthy_and_answers_as_from_an_empty_store()
    {
        using var file = new StoreFile();
        await using var server = await GatewayServer.StartAsync(new() { DatabasePath = file.Path });

        Assert.Equal("""{"status":"healthy","store":"waiting"}""", (await server.GetAsync("/health")).GetRawText());
        await AssertEmptyAsync(server);
        Assert.False(File.Exists(file.Path), "the gateway made the store");

        file.Open();
        Assert.Equal("""{"status":"healthy","store":"ready"}""", (await server.GetAsync("/health")).GetRawText());
        await AssertEmptyAsync(server);

        file.Write(FleetFixture.Record(FleetFixture.Now, FleetFixture.Busy, ("power_w", 1)));
        Assert.Equal(1, (await server.GetAsync("/api/v1/telemetry")).GetProperty("pagination").GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task Alive_says_only_that_the_process_serves() =>
        Assert.Equal("""{"status":"healthy"}""", (await fleet.Server.GetAsync("/alive")).GetRawText());

    [Theory]
    [InlineData("/api/v1/telemetry", "application/json")]
    [InlineData("/api/v1/telemetry/hosts/node-a/gpus", "application/json")]
    [InlineData("/health", "application/json")]
    [InlineData("/openapi/v1.json", "application/json")]
    [InlineData("/", "text/html")]
    public async Task Head_has_the_headers_of_get_and_no_body(string path, string type)
    {
        using var get = await fleet.Server.Client.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var head = await fleet.Server.Client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(type, head.Content.Headers.ContentType?.MediaType);
        Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.NotNull(head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Large_answers_are_compressed_for_those_who_can_read_it(string encoding)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/telemetry?page_size=100");
        request.Headers.Add("Accept-Encoding", encoding);
        using var response = await fleet.Server.Client.SendAsync(request, Cancelled);
        Assert.Equal(encoding, Assert.Single(response.Content.Headers.ContentEncoding));
        Assert.Contains("Accept-Encoding", response.Headers.Vary);
        await using var body = await response.Content.ReadAsStreamAsync(Cancelled);
        await using Stream plain = encoding == "br" ? new BrotliStream(body, CompressionMode.Decompress) : new GZipStream(body, CompressionMode.Decompress);
        using var json = await JsonDocument.ParseAsync(plain, default, Cancelled);
        Assert.Equal(100, json.RootElement.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task Small_answers_are_not_compressed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/telemetry/hosts");
        request.Headers.Add("Accept-Encoding", "gzip, br");
        using var response = await fleet.Server.Client.SendAsync(request, Cancelled);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.NotNull(response.Content.Headers.ContentLength);
    }

    private static async Task AssertEmptyAsync(GatewayServer server)
    {
        var rows = await server.GetAsync("/api/v1/telemetry?metrics=gpu_utilization");
        Assert.Equal("""{"data":[],"pagination":{"page":1,"page_size":100,"total":0,"total_pages":0,"has_next":false,"next_cursor":null}}""", rows.GetRawText());
        foreach (var list in new[] { "/api/v1/telemetry/hosts", "/api/v1/telemetry/latest" })
            Assert.Equal("""{"data":[],"total":0}""", (await server.GetAsync(list)).GetRawText());
        Assert.Equal(0, (await server.GetAsync("/api/v1/telemetry/aggregations")).GetProperty("data").GetArrayLength());
        var summary = await server.GetAsync("/api/v1/stats/summary");
        Assert.Equal(0, summary.GetProperty("rows").GetInt64());
        Assert.Equal(JsonValueKind.Null, summary.GetProperty("completeness").ValueKind);
        await server.GetProblemAsync("/api/v1/telemetry/hosts/node-a/gpus", 404);
        await server.GetProblemAsync("/api/v1/telemetry/series?host_id=node-a&gpu_id=0&metric=power_w", 404);
    }
}
