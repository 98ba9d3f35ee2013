using System.Globalization;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Telemetry.Tests.Distributed;

/// <summary>The AppHost's system, in processes of its own, and the questions that the tests ask of it.</summary>
internal sealed class PipelineRun : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly LastLines _lines = new();
    private readonly DirectoryInfo? _own; // a folder that is deleted with the run

    private PipelineRun(string? dataFolder)
    {
        _deadline.CancelAfter(Deadline);
        if (dataFolder is null)
            _own = Directory.CreateTempSubdirectory("telemetry-distributed-");
        DataFolder = dataFolder ?? Path.Combine(_own!.FullName, "run");
    }

    public DistributedApplication App { get; private set; } = null!;

    public Replicas Replicas { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public CancellationToken Cancellation => _deadline.Token;

    public string DataFolder { get; }

    public string DatabasePath => Path.Combine(DataFolder, "telemetry.db");

    /// <summary>Starts the system with three streamers that send a file once, as fast as they can and with its own times, and three collectors.</summary>
    /// <param name="csvFile">The input.</param>
    /// <param name="change">Changes the AppHost's resources; of a variable that is set twice, the last value counts.</param>
    /// <param name="dataFolder">A folder that stays; none: one of the run's own.</param>
    public static Task<PipelineRun> OfFileAsync(string csvFile, Action<IDistributedApplicationTestingBuilder>? change = null, string? dataFolder = null) =>
        StartAsync([$"--CsvFile={csvFile}", "--Streamers=3", "--Collectors=3"], builder =>
        {
            builder.CreateResourceBuilder<ProjectResource>("streamer")
                .WithEnvironment("STREAM_INTERVAL", "0")
                .WithEnvironment("LOOP_DATA", "false")
                .WithEnvironment("TIMESTAMP_MODE", "source");
            builder.CreateResourceBuilder<ProjectResource>("collector")
                .WithEnvironment("POLL_INTERVAL", "100ms");
            change?.Invoke(builder);
        }, dataFolder);

    /// <summary>Starts the system until its API answers.</summary>
    /// <param name="args">The AppHost's command line.</param>
    /// <param name="change">Changes the AppHost's resources.</param>
    /// <param name="dataFolder">A folder that stays; none: one of the run's own.</param>
    public static async Task<PipelineRun> StartAsync(IEnumerable<string> args, Action<IDistributedApplicationTestingBuilder>? change = null, string? dataFolder = null)
    {
        var run = new PipelineRun(dataFolder);
        try
        {
            await run.StartCoreAsync(args, change);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

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
            Assert.Fail($"waited in vain for: {what}\n{Replicas}\n{_lines}");
        }
    }

    /// <summary>Waits until every streamer that was not killed has sent its part and ended by itself.</summary>
    public Task StreamersEndWellAsync() => UntilAsync("the end of the streamers", () => Task.FromResult(Replicas.HaveEndedWell("streamer")));

    public Task<long> RowsAsync() => StoreContents.RowsAsync(DatabasePath, Cancellation);

    /// <summary>How many records were appended to the queue so far.</summary>
    public async Task<long> SentAsync()
    {
        using var answer = JsonDocument.Parse(await Http.GetStringAsync(new Uri("/api/v1/pipeline", UriKind.Relative), Cancellation));
        return answer.RootElement.GetProperty("queue").GetProperty("topics").EnumerateArray()
            .SelectMany(topic => topic.GetProperty("partitions").EnumerateArray())
            .Sum(partition => partition.GetProperty("high_watermark").GetInt64());
    }

    /// <summary>How many records the API knows.</summary>
    public async Task<long> ApiTotalAsync()
    {
        using var page = JsonDocument.Parse(await Http.GetStringAsync(new Uri("/api/v1/telemetry?page_size=1", UriKind.Relative), Cancellation));
        return page.RootElement.GetProperty("pagination").GetProperty("total").GetInt64();
    }

    /// <summary>Waits until the collectors have written as many rows as the input has.</summary>
    public Task UntilDrainedAsync(long rows) => UntilAsync($"{rows} rows in the store", async () => await RowsAsync() >= rows);

    /// <summary>Stops everything in order, so that nothing is in hand any more.</summary>
    public Task StopAsync() => App.StopAsync(Cancellation);

    /// <summary>What each metric of each GPU adds up to, through the gateway.</summary>
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

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (App is not null)
            await App.DisposeAsync();
        if (Replicas is not null)
            await Replicas.DisposeAsync();
        _deadline.Dispose();
        _lines.Dispose();
        SqliteConnection.ClearAllPools();
        _own?.Delete(recursive: true);
    }

    private async Task StartCoreAsync(IEnumerable<string> args, Action<IDistributedApplicationTestingBuilder>? change)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Telemetry_AppHost>(
            [$"--DataFolder={DataFolder}", .. args], Cancellation);
        builder.Services.AddLogging(logging => logging.AddProvider(_lines));
        change?.Invoke(builder);
        App = await builder.BuildAsync(Cancellation);
        Replicas = new Replicas(App.ResourceNotifications);
        await App.StartAsync(Cancellation);
        await App.ResourceNotifications.WaitForResourceHealthyAsync("gateway", Cancellation);
        Http = App.CreateHttpClient("gateway", "http");
    }
}
