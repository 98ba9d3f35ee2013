using Telemetry.Benchmarks.Processes;

namespace Telemetry.Tests.Benchmarks;

/// <summary>The <c>store</c> and <c>pipeline</c> benchmarks as commands, small: that they measure and tell everything, not how much that is.</summary>
public sealed class StoreBenchmarkTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ingest_tells_every_size_of_transaction_and_what_sqlite_makes_of_the_same_rows()
    {
        var lines = await RunAsync("--scenario", "ingest", "--gpus", "16", "--rows", "20000", "--runs", "1");
        Has(lines, "machine", "payload", "durability", "disk");
        Assert.Contains(lines, line => line.Contains("16 GPUs, 6 metrics each", StringComparison.Ordinal));
        foreach (var size in (string[])["50 ", "1,000 ", "20,000 ", "50,000 "])
            Assert.Single(lines, line => line.StartsWith(size, StringComparison.Ordinal));
        Assert.Equal(2, lines.Count(line => line.StartsWith("sqlite3 ", StringComparison.Ordinal) && line.Contains("times that", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Size_tells_the_bytes_of_each_metric_on_both_fleets()
    {
        var lines = await RunAsync("--scenario", "size", "--gpus", "8", "--hours", "1", "--interval", "60");
        Has(lines, "machine", "history", "file", "  records", "  minutes", "  hours", "  the rest");
        Assert.Equal(2, lines.Count(line => line.StartsWith("    power_w ", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.StartsWith("    memory_free_mb ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Queries_are_answered_idle_and_under_load_beside_their_budgets()
    {
        var lines = await RunAsync("--scenario", "queries", "--gpus", "8", "--hours", "2", "--interval", "30", "--seconds", "1");
        var head = lines.FindIndex(line => line.StartsWith("milliseconds", StringComparison.Ordinal));
        var queries = lines.Skip(head + 1).TakeWhile(line => !line.StartsWith("load", StringComparison.Ordinal)).ToList();
        Assert.Equal(15, queries.Count);
        Assert.Equal("50", Assert.Single(queries, line => line.StartsWith("aggregation 24 h", StringComparison.Ordinal)).Split(' ')[^1]);
        // Results, idle p50, p99, times, under load p50, p99, times, and a budget where there is one.
        Assert.All(queries, line => Assert.InRange(line[30..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, 7, 8));
    }

    [Fact]
    public async Task The_sustained_run_says_whether_the_store_kept_up()
    {
        var lines = await RunAsync("--scenario", "sustained", "--gpus", "8", "--seconds", "2");
        Has(lines, "machine", "payload", "durability", "upkeep");
        Assert.Contains("kept up", Assert.Single(lines, line => line.StartsWith("sustained", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pipeline_is_compared_with_sqlite_in_the_same_run()
    {
        await using var benchmark = ServiceProcess.Start("Benchmarks", "pipeline", "--rows", "2000", "--gpus", "16", "--durable");
        Assert.True(await benchmark.WaitForExitAsync(Cancelled) == 0, benchmark.Tail());
        List<string> lines = [.. benchmark.Lines];
        Has(lines, "machine", "payload", "processes", "durability", "pipeline", "store");
        Assert.Contains(lines, line => line.StartsWith("processes", StringComparison.Ordinal) && line.Contains("1 broker (durable", StringComparison.Ordinal));
        Assert.Equal(2, lines.Count(line => line.StartsWith("sqlite3 ", StringComparison.Ordinal) && line.Contains("times that", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_setting_that_is_not_accepted_is_told_and_nothing_is_measured()
    {
        await using var benchmark = ServiceProcess.Start("Benchmarks", "store", "--hours", "0");
        Assert.NotEqual(0, await benchmark.WaitForExitAsync(Cancelled));
        Assert.Contains(benchmark.Lines, line => line.Contains("--hours: expected a whole number of at least 1", StringComparison.Ordinal));
        Assert.DoesNotContain(benchmark.Lines, line => line.StartsWith("machine", StringComparison.Ordinal));
    }

    private static void Has(List<string> lines, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            Assert.Contains(lines, line => line.StartsWith(name, StringComparison.Ordinal));
    }

    /// <summary>Runs <c>store</c> in a folder of its own, to its good end.</summary>
    private static async Task<List<string>> RunAsync(params string[] flags)
    {
        var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
        try
        {
            await using var benchmark = ServiceProcess.Start("Benchmarks", ["store", "--data", folder.FullName, .. flags]);
            Assert.True(await benchmark.WaitForExitAsync(Cancelled) == 0, benchmark.Tail());
            Assert.Empty(folder.EnumerateFileSystemInfos()); // it leaves no databases behind
            return [.. benchmark.Lines];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
