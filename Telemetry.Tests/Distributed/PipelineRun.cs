using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Telemetry.Benchmarks.Processes;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Distributed;

/// <summary>A pipeline of real processes on one input, and the questions that the tests ask of it.</summary>
internal sealed class PipelineRun : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("telemetry-distributed-").FullName;
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public PipelineRun(string csvFile, params IReadOnlyList<string> streamerFlags)
    {
        _deadline.CancelAfter(Deadline);
        Pipeline = new PipelineProcesses(new PipelineSetup { Folder = _folder, CsvFile = csvFile, StreamerFlags = streamerFlags });
        Http = new HttpClient { BaseAddress = Pipeline.GatewayAddress };
    }

    public PipelineProcesses Pipeline { get; }

    public HttpClient Http { get; }

    public CancellationToken Cancellation => _deadline.Token;

    /// <summary>Waits for a condition of the outside world, which has no signal to wait for; fails with every process's last lines.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        try
        {
            while (!await condition())
                await timer.WaitForNextTickAsync(Cancellation);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"waited in vain for: {what}\n{await PipelineStateAsync()}\n{string.Join("\n\n", Pipeline.Processes.Select(p => $"{p.Name} {p.Id}\n{p.Tail()}"))}");
        }
    }

    private async Task<string> PipelineStateAsync() =>
        Pipeline.Processes.Any(process => process.Name is "Gateway" && !process.HasExited)
            ? await Http.GetStringAsync(new Uri("/api/v1/pipeline", UriKind.Relative), TestContext.Current.CancellationToken)
            : "";

    /// <summary>Waits for a program's own end; fails with every process's last lines.</summary>
    public async Task EndsWellAsync(ServiceProcess process)
    {
        await UntilAsync($"the end of {process.Name} {process.Id}", () => Task.FromResult(process.HasExited));
        Assert.True(await process.WaitForExitAsync(Cancellation) == 0, process.Tail());
    }

    public async Task<long> RowsAsync()
    {
        using var reader = new TelemetryReader(Pipeline.DatabasePath);
        return reader.IsReady ? (await reader.StateAsync(Cancellation)).Rows : 0;
    }

    /// <summary>Waits until the collectors have written what the queue has: every partition's lag is 0.</summary>
    public Task UntilDrainedAsync(long rows) => UntilAsync($"{rows} rows in the store", async () => await RowsAsync() >= rows);

    /// <summary>Stops everything in order, so that nothing is in hand any more, and checks that all ended well.</summary>
    public async Task StopAsync()
    {
        foreach (var process in Pipeline.Processes.Reverse().Where(p => !p.HasExited && p.Name is not "Gateway"))
        {
            process.Send(Signal.Term);
            var code = await process.WaitForExitAsync(Cancellation);
            Assert.True(code == 0, $"{process.Name} ended with {code}:\n{process.Tail()}");
        }
    }

    /// <summary>Per GPU and metric, from the store by plain SQL on what a person would query.</summary>
    public Dictionary<(string Host, string Gpu, string Metric), Totals> StoreTotals(IEnumerable<string> metrics)
    {
        using var connection = new SqliteConnection($"Data Source={Pipeline.DatabasePath};Mode=ReadOnly");
        connection.Open();
        var totals = new Dictionary<(string, string, string), Totals>();
        foreach (var metric in metrics)
        {
            using var command = connection.CreateCommand();
            command.CommandText =
                $"SELECT host_id, gpu_id, count({metric}), sum({metric}), min({metric}), max({metric}) FROM telemetry GROUP BY host_id, gpu_id HAVING count({metric}) > 0";
            using var rows = command.ExecuteReader();
            while (rows.Read())
                totals[(rows.GetString(0), rows.GetString(1), metric)] = new(rows.GetInt64(2), rows.GetDouble(3), rows.GetDouble(4), rows.GetDouble(5));
        }
        return totals;
    }

    /// <summary>The same through the gateway.</summary>
    public async Task<Dictionary<(string Host, string Gpu, string Metric), Totals>> HttpTotalsAsync(DateTimeOffset start, DateTimeOffset end)
    {
        var query = string.Create(CultureInfo.InvariantCulture,
            $"/api/v1/telemetry/aggregations?group_by=gpu_id&start_time={start.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}&end_time={end.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}");
        using var answer = JsonDocument.Parse(await Http.GetStringAsync(new Uri(query, UriKind.Relative), Cancellation));
        var totals = new Dictionary<(string, string, string), Totals>();
        foreach (var group in answer.RootElement.GetProperty("data").EnumerateArray())
        {
            foreach (var metric in group.GetProperty("metrics").EnumerateObject())
            {
                var count = metric.Value.GetProperty("count").GetInt64();
                totals[(group.GetProperty("host_id").GetString()!, group.GetProperty("gpu_id").GetString()!, metric.Name)] = new(
                    count,
                    metric.Value.GetProperty("avg").GetDouble() * count,
                    metric.Value.GetProperty("min").GetDouble(),
                    metric.Value.GetProperty("max").GetDouble());
            }
        }
        return totals;
    }

    /// <summary>Equal counts, minima and maxima; sums but for the rounding of another order of addition.</summary>
    public static void AssertEqual(IReadOnlyDictionary<(string Host, string Gpu, string Metric), Totals> expected, Dictionary<(string Host, string Gpu, string Metric), Totals> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (key, totals) in expected)
        {
            Assert.True(actual.TryGetValue(key, out var stored), $"{key} is missing");
            Assert.True(
                totals.Count == stored.Count && totals.Min.Equals(stored.Min) && totals.Max.Equals(stored.Max)
                && Math.Abs(totals.Sum - stored.Sum) <= 1e-9 * Math.Max(1, Math.Abs(totals.Sum)),
                $"{key}: expected {totals}, found {stored}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Pipeline.DisposeAsync();
        Http.Dispose();
        _deadline.Dispose();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}
