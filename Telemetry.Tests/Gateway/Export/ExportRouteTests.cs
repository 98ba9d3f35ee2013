using System.IO.Compression;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Tests.Collector.Commands;
using Telemetry.Tests.Streamer;

namespace Telemetry.Tests.Gateway.Export;

public sealed class ExportRouteTests : IAsyncLifetime
{
    private const string Route = "/api/v1/telemetry/export";
    private const string Labels = "timestamp,host_id,gpu_id,uuid,model,device,pod,namespace,container";

    private readonly StoreFile _file = new();
    private readonly FakeTimeProvider _time = new(FleetFixture.Now);
    private GatewayServer? _server;

    private GatewayServer Server => _server!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path, Exports = new RequestBounds(2, 1) }, _time);

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    [Fact]
    public async Task Csv_is_a_file_with_every_record()
    {
        _file.Write(
            FleetFixture.Record(FleetFixture.First, FleetFixture.Busy, ("power_w", 0.1 + 0.2)),
            FleetFixture.Record(FleetFixture.First.AddMilliseconds(5), FleetFixture.Lost, ("temperature_c", -5)));
        using var response = await GetAsync("");
        Assert.Equal("text/csv; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("attachment; filename=\"telemetry-20250718T210000Z.csv\"", response.Content.Headers.ContentDisposition?.ToString());
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.Equal(
            $"""
            {Labels},power_w,temperature_c
            2025-07-18T20:50:00.000Z,node-a,0,GPU-a0,NVIDIA H100,nvidia0,train-0,research,trainer,0.30000000000000004,
            2025-07-18T20:50:00.005Z,node-b,0,,,,,,,,-5

            """,
            await response.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task Ndjson_leaves_out_what_is_not_there()
    {
        _file.Write(FleetFixture.Record(FleetFixture.First, FleetFixture.Lost, ("temperature_c", 30)));
        using var response = await GetAsync("?format=ndjson");
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.ToString());
        Assert.EndsWith(".ndjson\"", response.Content.Headers.ContentDisposition?.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            """{"timestamp":"2025-07-18T20:50:00.000Z","host_id":"node-b","gpu_id":"0","metrics":{"temperature_c":30}}""" + "\n",
            await response.Content.ReadAsStringAsync(Cancelled));
    }

    [Theory]
    [InlineData("=cmd|' /C calc'!A0")]
    [InlineData("+1")]
    [InlineData("-1+1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    [InlineData("\n=1")]
    public async Task A_label_that_a_spreadsheet_would_run_is_text_in_csv_and_itself_in_ndjson_and_for_the_streamer(string label)
    {
        _file.Write(FleetFixture.Record(FleetFixture.First, FleetFixture.Busy with { Pod = label }, ("power_w", 1)));
        var csv = await TextAsync("?format=csv");
        Assert.Contains($",\"'{label}\",research,trainer,1\n", csv, StringComparison.Ordinal);
        var record = System.Text.Json.JsonElement.Parse(await TextAsync("?format=ndjson"));
        Assert.Equal(label, record.GetProperty("pod").GetString());

        using var input = new TestInput();
        var read = input.ReadAll((await CollectorRun.OfAsync(_file.Path, "export", "--format", "csv")).Text);
        Assert.Equal(label.Trim(), Assert.Single(read.Samples).Identity.Pod.Trim());
    }

    [Fact]
    public async Task Only_what_is_asked_for_is_exported()
    {
        for (var i = 0; i < 4; i++)
        {
            var time = FleetFixture.First.AddSeconds(i);
            _file.Write(FleetFixture.Record(time, FleetFixture.Busy, ("power_w", i), ("temperature_c", 40 + i)), FleetFixture.Record(time, FleetFixture.Held, ("power_w", i)));
        }
        Assert.Equal(
            $"""
            {Labels},temperature_c
            2025-07-18T20:50:01.000Z,node-a,0,GPU-a0,NVIDIA H100,nvidia0,train-0,research,trainer,41
            2025-07-18T20:50:02.000Z,node-a,0,GPU-a0,NVIDIA H100,nvidia0,train-0,research,trainer,42

            """,
            await TextAsync("?host_id=node-a&gpu_id=0&metrics=temperature_c&start_time=2025-07-18T22:50:01%2B02:00&end_time=2025-07-18T20:50:03Z"));
    }

    [Fact]
    public async Task An_empty_store_and_one_that_is_not_there_have_a_header_and_no_records()
    {
        Assert.Equal(Labels + "\n", await TextAsync(""));
        _file.Open();
        Assert.Equal(Labels + "\n", await TextAsync(""));
        Assert.Equal("", await TextAsync("?format=ndjson"));
    }

    [Fact]
    public async Task What_cannot_be_exported_is_a_problem()
    {
        _file.Write(FleetFixture.Record(FleetFixture.First, FleetFixture.Busy, ("power_w", 1)));
        await Server.GetProblemAsync(Route + "?host_id=node-z", 404);
        await Server.GetProblemAsync(Route + "?host_id=node-a&gpu_id=9", 404);
        foreach (var (query, parameter) in new[]
        {
            ("format=xlsx", "format"), ("metrics=watts", "metrics"), ("start_time=now", "start_time"), ("limit=5", "limit"),
            ("start_time=2025-07-18T21:00:00Z&end_time=2025-07-18T21:00:00Z", "start_time"),
        })
        {
            using var response = await Server.Client.GetAsync(new Uri($"{Route}?{query}", UriKind.Relative), Cancelled);
            Assert.Equal(parameter, (await GatewayServer.ProblemAsync(response, 400)).GetProperty("parameter").GetString());
            Assert.Null(response.Content.Headers.ContentDisposition);
        }
    }

    [Fact]
    public async Task Head_has_the_headers_of_get_and_no_body()
    {
        _file.Write(FleetFixture.Record(FleetFixture.First, FleetFixture.Busy, ("power_w", 1)));
        using var request = new HttpRequestMessage(HttpMethod.Head, Route);
        using var response = await Server.Client.SendAsync(request, Cancelled);
        Assert.Equal((HttpStatusCode.OK, "text/csv"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.NotNull(response.Content.Headers.ContentDisposition);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Theory]
    [InlineData("br", "csv")]
    [InlineData("gzip", "csv")]
    [InlineData("gzip", "ndjson")]
    public async Task It_is_compressed_for_those_who_can_read_it(string encoding, string format)
    {
        WriteMany(5_000);
        var plain = await TextAsync("?format=" + format);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Route}?format={format}");
        request.Headers.Add("Accept-Encoding", encoding);
        using var response = await Server.Client.SendAsync(request, Cancelled);
        Assert.Equal(encoding, Assert.Single(response.Content.Headers.ContentEncoding));
        var body = await response.Content.ReadAsByteArrayAsync(Cancelled);
        Assert.True(body.Length < plain.Length / 4);
        await using Stream decoding = encoding == "br" ? new BrotliStream(new MemoryStream(body), CompressionMode.Decompress) : new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        using var reader = new StreamReader(decoding);
        Assert.Equal(plain, await reader.ReadToEndAsync(Cancelled));
    }

    [Fact]
    public async Task More_exports_than_may_be_under_way_are_429()
    {
        WriteMany(100_000);
        using var one = await GetAsync("");
        var problem = await Server.GetProblemAsync(Route, 429);
        Assert.Contains(Route + " are under way", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Server.GetAsync("/api/v1/telemetry/latest");
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_store_that_fails_in_the_middle_cuts_the_answer_so_that_nobody_takes_it_for_the_whole(string encoding)
    {
        WriteMany(100_000);
        Assert.True(_file.Open().EmptyLog(TimeSpan.FromSeconds(20)));
        using var request = new HttpRequestMessage(HttpMethod.Get, Route);
        if (encoding.Length > 0)
            request.Headers.Add("Accept-Encoding", encoding);
        using var response = await Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using (var database = new FileStream(_file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            database.Position = 8192;
            database.Write(new byte[database.Length - 8192]);
        }
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(Stream.Null, Cancelled));
    }

    [Fact]
    public async Task An_export_of_which_nothing_moves_is_cut_and_one_that_moves_may_take_any_time()
    {
        WriteMany(150_000);
        using var response = await GetAsync("?format=ndjson");
        await using var body = await response.Content.ReadAsStreamAsync(Cancelled);
        var piece = new byte[256 * 1024];
        // Each piece takes almost as long as a query may.
        for (var i = 0; i < 10; i++)
        {
            await body.ReadExactlyAsync(piece, Cancelled);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        _time.Advance(TimeSpan.FromSeconds(31));
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, Cancelled));
    }

    [Fact]
    public async Task A_gateway_that_stops_cuts_an_export()
    {
        WriteMany(100_000);
        var server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path });
        using var response = await server.Client.GetAsync(new Uri(Route, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        await server.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(Stream.Null, Cancelled));
        await server.DisposeAsync();
    }

    private void WriteMany(int rows)
    {
        foreach (var chunk in Enumerable.Range(0, rows).Chunk(10_000))
        {
            _file.Write([.. chunk.Select(i => FleetFixture.Record(
                FleetFixture.First.AddMilliseconds(i), FleetFixture.Busy, ("power_w", Math.Sqrt(i)), ("gpu_utilization", i % 100), ("temperature_c", 30 + (i % 7))))]);
        }
    }

    private async Task<HttpResponseMessage> GetAsync(string query)
    {
        var response = await Server.Client.GetAsync(new Uri(Route + query, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    private async Task<string> TextAsync(string query)
    {
        using var response = await GetAsync(query);
        return await response.Content.ReadAsStringAsync(Cancelled);
    }
}
