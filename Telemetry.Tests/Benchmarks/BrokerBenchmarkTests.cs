using System.Globalization;
using System.Text.Json;
using Telemetry.Benchmarks.Processes;

namespace Telemetry.Tests.Benchmarks;

/// <summary>The <c>broker</c> benchmark as a command, small: that it measures and tells everything, not how much that is.</summary>
public sealed class BrokerBenchmarkTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_table_has_a_line_for_every_scenario_and_says_what_was_measured_on_what()
    {
        var lines = await RunAsync("--mode", "durable", "--batch", "100", "--producers", "2", "--record-bytes", "50", "--recovery-mib", "1");
        foreach (var note in (string[])["machine", "payload", "durability", "clients", "latency", "disk", "idle", "recovery"])
            Assert.Contains(lines, line => line.StartsWith(note, StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("records of 50 B", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("recovery ", StringComparison.Ordinal) && line.Contains("1 MiB after kill -9", StringComparison.Ordinal));

        var head = lines.FindIndex(line => line.StartsWith("scenario", StringComparison.Ordinal));
        foreach (var column in (string[])["mode", "batch", "prod", "in rec/s", "out rec/s", "p50", "p99", "alloc B", "cpu ns", "syncs/s"])
            Assert.Contains(column, lines[head], StringComparison.Ordinal);
        var rows = lines.Skip(head + 1).Where(line => !line.StartsWith("recovery", StringComparison.Ordinal)).ToList();
        Assert.Equal(["publish", "publish, QueueProducer", "fetch", "both", "latency"], rows.Select(row => row[..22].TrimEnd()));
        Assert.All(rows, row => Assert.Equal(["Durable", "100", "2"], row[22..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(3)));
        Assert.All(rows.Where(row => !row.StartsWith("fetch", StringComparison.Ordinal)), row => Assert.True(Number(row, "in rec/s", lines[head]) > 0, row));
        Assert.All(rows.Where(row => row.StartsWith("fetch", StringComparison.Ordinal) || row.StartsWith("both", StringComparison.Ordinal)), row => Assert.True(Number(row, "out rec/s", lines[head]) > 0, row));
        Assert.True(Number(rows[^1], "p99", lines[head]) > 0, rows[^1]);
    }

    [Fact]
    public async Task With_json_every_line_is_an_object_for_programs()
    {
        var lines = await RunAsync("--json", "--scenario", "publish", "--mode", "memory", "relaxed", "--batch", "10", "--producers", "1");
        var objects = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Contains(objects, line => line.TryGetProperty("note", out var note) && note.GetString() == "machine");
        var runs = objects.Where(line => line.TryGetProperty("scenario", out _)).ToList();
        Assert.Equal(["memory", "relaxed"], runs.Select(run => run.GetProperty("case").GetProperty("mode").GetString()));
        Assert.All(runs, run =>
        {
            Assert.Equal("publish", run.GetProperty("scenario").GetString());
            Assert.Equal((10, 1), (run.GetProperty("case").GetProperty("batch").GetInt32(), run.GetProperty("case").GetProperty("producers").GetInt32()));
            Assert.True(run.GetProperty("in").GetDouble() > 0);
            Assert.Equal(JsonValueKind.Null, run.GetProperty("out").ValueKind);
        });
    }

    [Theory]
    [InlineData("--seconds", "0", "--seconds: expected a whole number of at least 1")]
    [InlineData("--seconds", "1.5", "--seconds: expected a whole number of at least 1")]
    [InlineData("--warm-up", "-1", "--warm-up: expected a whole number of at least 0")]
    [InlineData("--mode", "fast", "fast")]
    public async Task A_setting_that_is_not_accepted_is_told_and_nothing_is_measured(string name, string value, string told)
    {
        await using var benchmark = ServiceProcess.Start("Benchmarks", "broker", name, value);
        Assert.NotEqual(0, await benchmark.WaitForExitAsync(Cancelled));
        Assert.Contains(benchmark.Lines, line => line.Contains(told, StringComparison.Ordinal));
        Assert.DoesNotContain(benchmark.Lines, line => line.StartsWith("machine", StringComparison.Ordinal));
    }

    /// <summary>Runs it in a folder of its own, to its good end.</summary>
    private static async Task<List<string>> RunAsync(params string[] flags)
    {
        var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
        try
        {
            await using var benchmark = ServiceProcess.Start("Benchmarks", ["broker", "--seconds", "1", "--warm-up", "0", "--data", folder.FullName, .. flags]);
            Assert.True(await benchmark.WaitForExitAsync(Cancelled) == 0, benchmark.Tail());
            Assert.Empty(folder.EnumerateFileSystemInfos()); // it leaves no logs behind
            return [.. benchmark.Lines];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The figure that ends where the heading of its column does.</summary>
    private static double Number(string row, string column, string heading)
    {
        var end = heading.IndexOf(column, StringComparison.Ordinal) + column.Length;
        var figure = row[..end].Split(' ')[^1];
        return double.Parse(figure, NumberStyles.Number, CultureInfo.InvariantCulture);
    }
}
