using System.Globalization;
using Telemetry.Collector.Commands;
using Telemetry.Storage.Queries;
using Telemetry.Tests.Storage;
using Telemetry.Tests.Streamer;

namespace Telemetry.Tests.Collector.Commands;

public sealed class ExportCommandTests : IDisposable
{
    private const string Header = "timestamp,host_id,gpu_id,uuid,model,device,pod,namespace,container";

    private readonly StoreFixture _fixture = new();

    private Task<CollectorRun> RunAsync(params string[] args) => CollectorRun.OfAsync(_fixture.DatabasePath, args);

    [Fact]
    public async Task Csv_has_a_column_for_each_metric_and_is_quoted_where_it_must_be()
    {
        _fixture.Write(StoreFixture.Row(2, "b", value: 0.1 + 0.2), StoreFixture.Row(1, "a,\"x\"", value: -5, metric: "temperature_c"));
        Assert.Equal(
            $""""
            {Header},power_w,temperature_c
            2026-03-01T12:00:02.000Z,b,0,GPU-b-0,H100,nvidia0,,,,0.30000000000000004,
            2026-03-01T12:00:01.000Z,"a,""x""",0,"GPU-a,""x""-0",H100,nvidia0,,,,,-5

            """",
            (await RunAsync("export", "--format", "csv")).Text);
    }

    [Fact]
    public async Task Ndjson_leaves_out_what_is_not_there()
    {
        _fixture.Write(new ModelRow(1, StoreFixture.Gpu("ä", "0"), new() { ["power_w"] = 1e300 }), new ModelRow(2, StoreFixture.Gpu("b", "1", "p"), []));
        Assert.Equal(
            """
            {"timestamp":"1970-01-01T00:00:00.001Z","host_id":"\u00E4","gpu_id":"0","uuid":"GPU-\u00E4-0","model":"H100","device":"nvidia0","metrics":{"power_w":1E+300}}
            {"timestamp":"1970-01-01T00:00:00.002Z","host_id":"b","gpu_id":"1","uuid":"GPU-b-1","model":"H100","device":"nvidia1","pod":"p","metrics":{}}

            """,
            (await RunAsync("export", "--format", "ndjson")).Text);
    }

    [Fact]
    public async Task Only_what_is_asked_for_is_exported()
    {
        for (var second = 0; second < 4; second++)
            _fixture.Write(StoreFixture.Row(second), StoreFixture.Row(second, gpu: "1", metric: "temperature_c"), StoreFixture.Row(second, "b"));
        Assert.Equal(
            $"""
            {Header},temperature_c
            2026-03-01T12:00:01.000Z,a,1,GPU-a-1,H100,nvidia1,,,,1
            2026-03-01T12:00:02.000Z,a,1,GPU-a-1,H100,nvidia1,,,,1

            """,
            (await RunAsync("export", "--format", "csv", "--host-id", "a", "--gpu-id", "1", "--metrics", "temperature_c",
                "--start-time", "2026-03-01T13:00:01+01:00", "--end-time", "2026-03-01T12:00:03Z")).Text);
    }

    [Fact]
    public async Task What_is_exported_is_read_by_the_streamer_as_it_was_stored()
    {
        var gpu = StoreFixture.Gpu("a", "0", "pod \"x\", y");
        _fixture.Write([.. Enumerable.Range(0, 100).Select(i => new ModelRow(
            StoreFixture.Epoch.ToUnixTimeMilliseconds() + (i * 77), gpu, new() { ["power_w"] = Math.Sqrt(i) * 1e-9, [i % 2 == 0 ? "temperature_c" : "sm_clock_mhz"] = i }))]);
        using var input = new TestInput();
        var read = input.ReadAll((await RunAsync("export", "--format", "csv")).Text);
        Assert.Equal(
            await RowsAsync(),
            read.Samples.Select(s => $"{s.TimeUnixMs} {s.Identity.HostId} {s.Identity.GpuId} {s.Identity.Uuid} {s.Identity.Pod} {Text(s.Values.ToDictionary(v => v.Name, v => v.Value))}"));
    }

    [Fact]
    public async Task A_reader_that_has_enough_ends_the_export_quietly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no head");
        for (var i = 0; i < 20; i++)
            _fixture.Write([.. Enumerable.Range(0, 1000).Select(second => StoreFixture.Row((i * 1000) + second))]);
        var program = typeof(ExportCommand).Assembly.Location;
        var start = new System.Diagnostics.ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"{{ dotnet '{program}' export --format csv --database-path '{_fixture.DatabasePath}'; echo code $? >&2; }} | head -n 2");
        using var shell = System.Diagnostics.Process.Start(start)!;
        var error = shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, (await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd('\n').Split('\n').Length);
        Assert.Equal("code 0\n", await error);
    }

    [Fact]
    public async Task A_file_is_written_and_never_overwritten()
    {
        _fixture.Write(StoreFixture.Row(1));
        var file = Path.Combine(_fixture.Folder, "out.csv");
        Assert.Equal("", (await RunAsync("export", "--format", "csv", "--output", file)).Text);
        Assert.Equal(2, File.ReadAllLines(file).Length);
        Assert.Contains("out.csv", (await RunAsync("export", "--format", "csv", "--output", file)).Refusal(1), StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(file).Length);
    }

    [Theory]
    [InlineData("export", "--format: is missing: expected csv or ndjson")]
    [InlineData("export --format xml", "--format: 'xml' is not accepted: expected csv or ndjson")]
    [InlineData("export --format csv --start-time yesterday", "--start-time: 'yesterday' is not accepted: expected a time in RFC 3339, as 2026-11-23T20:42:34Z or 2026-11-23T21:42:34.5+01:00")]
    [InlineData("export --format csv --metrics a,", "--metrics: 'a,' is not accepted: expected names of metrics, as power_w,temperature_c")]
    [InlineData("export --format csv --metrics watts", "--metrics: 'watts' is not accepted: expected metrics of the store: power_w")]
    [InlineData("backup", "FILE: is missing: expected a file")]
    [InlineData("verify all", "'all' is not accepted: verify takes --database-path; --help says more")]
    [InlineData("compact", "'compact' is not accepted: collector takes export, verify, backup; --help says more")]
    public async Task A_line_that_makes_no_sense_is_refused(string line, string refusal)
    {
        _fixture.Write(StoreFixture.Row(1));
        Assert.Equal("collector: " + refusal, (await RunAsync(line.Split(' '))).Refusal(2));
    }

    [Theory]
    [InlineData("export --format csv")]
    [InlineData("verify")]
    [InlineData("backup copy.db")]
    public async Task A_database_that_is_not_there_is_named_and_not_made(string line)
    {
        var path = Path.Combine(_fixture.Folder, "none.db");
        Assert.Contains($"database '{path}' is not there", (await RunAsync([.. line.Split(' '), "--database-path", path])).Refusal(1), StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    private async Task<List<string>> RowsAsync()
    {
        using var reader = _fixture.Reader();
        return [.. (await reader.ExportAsync(new ExportQuery(), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken))
            .Select(r => $"{r.Timestamp.ToUnixTimeMilliseconds()} {r.Gpu.HostId} {r.Gpu.GpuId} {r.Gpu.Uuid} {r.Gpu.Pod} {Text(r.Metrics)}")];
    }

    private static string Text(IEnumerable<KeyValuePair<string, double>> values) =>
        string.Join(' ', values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => v.Key + "=" + v.Value.ToString("R", CultureInfo.InvariantCulture)));

    public void Dispose() => _fixture.Dispose();
}
