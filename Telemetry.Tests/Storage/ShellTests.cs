using System.Diagnostics;
using Telemetry.Storage;

namespace Telemetry.Tests.Storage;

/// <summary>What people do with the plain sqlite3 shell.</summary>
public sealed class ShellTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    [Fact]
    public async Task The_plain_shell_counts_and_shows_rows_while_the_store_is_open()
    {
        _fixture.Write(StoreFixture.Row(1, "a", "0", 250.5), StoreFixture.Row(2, "b", "1", 300, "temperature_c"));
        Assert.Equal("2", await ShellAsync("SELECT COUNT(*) FROM telemetry;"));
        Assert.Equal("2026-03-01T12:00:02.000Z|b|1|GPU-b-1|H100|nvidia1|||||300.0", await ShellAsync("SELECT * FROM telemetry WHERE host_id = 'b';"));
        Assert.Equal("timestamp host_id gpu_id uuid model device pod namespace container power_w temperature_c",
            await ShellAsync("SELECT group_concat(name, ' ') FROM pragma_table_info('telemetry');"));
    }

    [Fact]
    public async Task The_views_time_is_exact_to_the_millisecond()
    {
        long[] times = [0, 1, 999, 1_000, 1_772_366_400_001, 1_772_366_400_999, 253_402_300_799_999, -1, RowBlock.TimeMin];
        var gpu = StoreFixture.Gpu("a", "0");
        _fixture.Write([.. times.Select(t => new ModelRow(t, gpu, []))]);
        var expected = times.Select(t => DateTimeOffset.FromUnixTimeMilliseconds(t).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(expected, (await ShellAsync("SELECT timestamp FROM telemetry;")).Split('\n'));
    }

    [Fact]
    public async Task Counting_reads_no_labels() =>
        Assert.DoesNotContain("gpu", await ShellAsync("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM telemetry;"), StringComparison.Ordinal);

    private async Task<string> ShellAsync(string sql)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/sqlite3"), "the sqlite3 shell is not installed");
        var start = new ProcessStartInfo("/usr/bin/sqlite3", [_fixture.DatabasePath, sql]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var shell = Process.Start(start)!;
        var output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output.TrimEnd('\n');
    }

    public void Dispose() => _fixture.Dispose();
}
