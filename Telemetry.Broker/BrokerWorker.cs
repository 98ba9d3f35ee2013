using System.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Telemetry.Broker.Rpc;

namespace Telemetry.Broker;

/// <summary>Makes time pass in the core, says when the broker starts and stops, and ends waits when it stops.</summary>
internal sealed class BrokerWorker(
    BrokerCore core,
    BrokerMetrics metrics,
    OpenCalls calls,
    BrokerOptions options,
    IServer server,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<BrokerWorker> logger) : BackgroundService, IHostedLifecycleService
{
    /// <summary>How exact timeouts are.</summary>
    internal static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>How old what is kept of groups' reading may be after a crash: their consumers then get this much again.</summary>
    internal static readonly TimeSpan SaveInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a stop waits for calls to end; they are told at once and need milliseconds.</summary>
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long connections stay open after their calls have ended. A .NET client that still has its own side of a stream
    /// open forgets a status that it has received but not read yet when the connection closes.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(200);

    private readonly long _built = Stopwatch.GetTimestamp();
    private long _stopBegan;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // The web server starts after this service; its addresses are known only when all have started.
        lifetime.ApplicationStarted.Register(Started);
        return Task.CompletedTask;
    }

    /// <summary>Before the web server stops: tells all calls why they end, and lets them.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopBegan = Stopwatch.GetTimestamp();
        var ended = calls.NoneAsync();
        core.Stop();
        if (ended.IsCompleted)
            return;
        try
        {
            await ended.WaitAsync(DrainMax, cancellationToken);
            await Task.Delay(Linger, cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            logger.CallsLeft();
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        SaveGroups();
        Stopped();
        return Task.CompletedTask;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(TickAsync(stoppingToken), SaveGroupsAsync(stoppingToken));

    private async Task SaveGroupsAsync(CancellationToken stoppingToken)
    {
        if (core.Data is null)
            return;
        using var timer = new PeriodicTimer(SaveInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                SaveGroups();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The broker stops; StoppedAsync saves for the last time.
        }
    }

    private void SaveGroups()
    {
        try
        {
            core.Groups.Save();
        }
        catch (IOException error)
        {
            logger.GroupsNotSaved(error);
        }
    }

    private async Task TickAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TickInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                core.Tick();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The broker stops.
        }
    }

    private void Started()
    {
        if (core.Data is { Reports: { Count: > 0 } reports })
        {
            // Only now somebody listens to the metrics.
            foreach (var (_, _, report) in reports)
                metrics.Recovered(report);
            logger.Recovered(
                reports.Count,
                reports.Sum(found => found.Report.Records),
                reports.Sum(found => found.Report.Segments),
                reports.Sum(found => found.Report.Scanned),
                reports.Sum(found => found.Report.TornBytes),
                reports.Sum(found => found.Report.DamagedRecords),
                reports.All(found => found.Report.InOrder));
        }
        if (core.Data is { Groups.DamagedLines: > 0 } data)
            logger.GroupLinesDamaged(data.Groups.DamagedLines);
        var bound = server.Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        logger.Started(
            (long)Stopwatch.GetElapsedTime(_built).TotalMilliseconds,
            bound[0],
            bound[^1],
            core.Data is null ? "memory only" : options.DataPath,
            options.MaxPartitions,
            options.MaxMessagesPerPartition,
            options.MessageTtl);
    }

    private void Stopped() => logger.Stopped(
        (long)Stopwatch.GetElapsedTime(_stopBegan).TotalMilliseconds,
        Stopwatch.GetElapsedTime(_built),
        core.Topics.All.Count(),
        core.Topics.Partitions.Sum(partition => partition.Records),
        core.Groups.All.Count());
}
