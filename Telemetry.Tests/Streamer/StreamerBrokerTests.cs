using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Telemetry.Broker;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer;
using Telemetry.Tests.Messaging;

namespace Telemetry.Tests.Streamer;

/// <summary>Streamers and the real broker.</summary>
public sealed class StreamerBrokerTests : IDisposable
{
    private readonly TestInput _files = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    private static async Task<(WebApplication App, string Address)> StartBrokerAsync(int port = 0)
    {
        var app = BrokerApp.Build(new BrokerOptions { Port = port, MetricsPort = 0, MaxMessagesPerPartition = 100_000 });
        await app.StartAsync(Cancelled);
        return (app, app.BoundAddresses()[0].Authority);
    }

    private StreamerOptions OptionsFor(string address) => _files.Options with { QueueAddr = address };

    private static string Rows(int count) => string.Concat(Enumerable.Range(0, count).Select(
        i => $"2025-07-18T{i / 3600 % 24:00}:{i / 60 % 60:00}:{i % 60:00}Z,host{i % 37},{i % 8},u{i % 37},{i % 100},{i % 90}\n"));

    private static Task EndOf(WebApplication app)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Lifetime.ApplicationStopped.Register(ended.SetResult);
        return ended.Task;
    }

    /// <summary>Runs a streamer until it ends by itself or is told to.</summary>
    private static async Task<int> RunAsync(StreamerOptions options, CancellationToken stop)
    {
        await using var app = StreamerApp.Build(options);
        await app.StartAsync(Cancelled);
        await app.WaitForShutdownAsync(stop);
        return app.Services.GetRequiredService<StreamerWorker>().ExitCode;
    }

    private static async Task<List<GpuSample>> LogAsync(string address)
    {
        await using var connection = new QueueConnection(address);
        return [.. (await QueueLog.ReadAsync(connection, "telemetry")).SelectMany(read => RecordBatch.Decode(read.Batch.Batch.Span).Samples())];
    }

    private static void AssertEachOnceAndInOrder(ReadResult expected, List<GpuSample> log)
    {
        Assert.Equal(expected.Samples.Select(TestInput.Text).Order(), log.Select(TestInput.Text).Order());
        Assert.All(
            log.GroupBy(sample => (sample.Identity.HostId, sample.Identity.GpuId)),
            gpu => Assert.Equal(gpu.Select(sample => sample.TimeUnixMs).Order(), gpu.Select(sample => sample.TimeUnixMs)));
    }

    [Fact]
    public async Task A_file_is_in_the_log_once_and_a_second_run_adds_nothing()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(5000));
        var (broker, address) = await StartBrokerAsync();
        await using var _ = broker;
        Assert.Equal(0, await RunAsync(OptionsFor(address), Cancelled).WaitAsync(TimeSpan.FromSeconds(60), Cancelled));
        AssertEachOnceAndInOrder(expected, await LogAsync(address));
        Assert.Equal(0, await RunAsync(OptionsFor(address), Cancelled).WaitAsync(TimeSpan.FromSeconds(60), Cancelled));
        AssertEachOnceAndInOrder(expected, await LogAsync(address));
    }

    [Fact]
    public async Task F37_From_one_to_ten_streamers_and_back_each_row_is_sent_once()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(8000));
        var (broker, address) = await StartBrokerAsync();
        await using var _ = broker;
        await using var connection = new QueueConnection(address);
        var options = OptionsFor(address) with { StreamInterval = TimeSpan.FromMilliseconds(2), BatchSize = 5 };
        var first = RunAsync(options, Cancelled);
        await GrowAsync(connection, 200);
        var stops = Enumerable.Range(0, 9).Select(_ => CancellationTokenSource.CreateLinkedTokenSource(Cancelled)).ToList();
        var others = stops.Select(stop => RunAsync(options, stop.Token)).ToList();
        for (var i = 0; i < stops.Count; i++)
        {
            await GrowAsync(connection, 1500 + (i * 200));
            await stops[i].CancelAsync();
        }
        // Nobody ends before everything is sent, so that nobody has to be started to send the rest.
        Assert.All(await Task.WhenAll([first, .. others]).WaitAsync(TimeSpan.FromSeconds(120), Cancelled), code => Assert.Equal(0, code));
        stops.ForEach(stop => stop.Dispose());
        AssertEachOnceAndInOrder(expected, await LogAsync(address));
    }

    /// <summary>Waits until the log has so many records, by reading it as they come.</summary>
    private static async Task GrowAsync(QueueConnection connection, long records)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        await connection.WaitUntilReachableAsync(null, Cancelled);
        var seen = 0L;
        async Task ReadAsync(int partition)
        {
            try
            {
                await foreach (var fetched in PartitionFetcher.FetchAsync(connection, "telemetry", partition, new FetchFrom.Earliest(), "", 1 << 20, enough.Token))
                {
                    if (fetched is Fetched.Batch batch && Interlocked.Add(ref seen, batch.RecordCount - batch.Skip) >= records)
                        await enough.CancelAsync();
                }
            }
            catch (OperationCanceledException) when (enough.IsCancellationRequested)
            {
            }
        }
        await Task.WhenAll(Enumerable.Range(0, 4).Select(ReadAsync)).WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
    }

    [Fact]
    public async Task A_streamer_that_is_started_before_the_broker_waits_for_it()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(50));
        var port = FreePort();
        await using var app = StreamerApp.Build(OptionsFor($"127.0.0.1:{port}"));
        var end = EndOf(app);
        await app.StartAsync(Cancelled);
        using var http = new HttpClient { BaseAddress = app.BoundAddresses()[0] };
        Assert.Equal("Healthy", await http.GetStringAsync("/health", Cancelled));
        var (broker, address) = await StartBrokerAsync(port);
        await using var _ = broker;
        await app.WaitForShutdownAsync(Cancelled).WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
        await end;
        AssertEachOnceAndInOrder(expected, await LogAsync(address));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
