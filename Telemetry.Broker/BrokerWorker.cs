using System.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Telemetry.Broker;

/// <summary>Makes time pass in the core, says when the broker starts and stops, and ends waits when it stops.</summary>
internal sealed class BrokerWorker(
    BrokerCore core, BrokerOptions options, IServer server, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<BrokerWorker> logger) : BackgroundService
{
    /// <summary>How exact timeouts are.</summary>
    internal static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    private readonly long _built = Stopwatch.GetTimestamp();
    private long _stopBegan;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // Here and not in ExecuteAsync, which need not have begun when a stop comes at once.
        lifetime.ApplicationStarted.Register(Started);
        lifetime.ApplicationStopping.Register(Stopping);
        lifetime.ApplicationStopped.Register(Stopped);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
        var bound = server.Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        logger.Started(
            (long)Stopwatch.GetElapsedTime(_built).TotalMilliseconds,
            bound[0],
            bound[^1],
            options.MaxPartitions,
            options.MaxMessagesPerPartition,
            options.MessageTtl);
    }

    private void Stopping()
    {
        _stopBegan = Stopwatch.GetTimestamp();
        core.Stop();
    }

    private void Stopped() => logger.Stopped(
        (long)Stopwatch.GetElapsedTime(_stopBegan).TotalMilliseconds,
        Stopwatch.GetElapsedTime(_built),
        core.Topics.All.Count(),
        core.Topics.Partitions.Sum(partition => partition.Records),
        core.Groups.All.Count());
}
