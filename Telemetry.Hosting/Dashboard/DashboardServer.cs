using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>Serves the dashboard on the loopback addresses. It is started beside the processes, so that they do not wait for it.</summary>
internal sealed class DashboardServer(
    DashboardAccess access, Supervisor supervisor, HostConsole console, LogStore logs, TimeProvider time, IHostEnvironment environment,
    IHostApplicationLifetime lifetime, ILogger<DashboardServer> logger) : IHostedService, IAsyncDisposable
{
    // A body is never read: what is asked for stands in the address.
    private const int BodyBytesMax = 4 * 1024;
    private const int ConnectionsMax = 100;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (access.Url is not null)
            lifetime.ApplicationStarted.Register(() => _running = Task.Run(RunAsync, CancellationToken.None));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            using var scraper = new MetricsScraper();
            await using var app = Build(scraper);
            await app.StartAsync(_stopping.Token);
            // To the console alone: the address with its token is nothing for the logs that the page shows.
            console.Line(HostConsole.Host, $"dashboard: {access.Url}");
            await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using var limit = new CancellationTokenSource(StopTimeout);
            await app.StopAsync(limit.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped before it was up, or while a browser still read.
        }
        catch (Exception error)
        {
            // The services need no dashboard.
            access.TurnOff();
            HostingLog.NoDashboard(logger, error);
        }
    }

    private WebApplication Build(MetricsScraper scraper)
    {
        // Empty: none of the AppHost's settings (ASPNETCORE_URLS, Kestrel:Endpoints) is about this server.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            foreach (var listener in access.Listeners)
                kestrel.Listen((IPEndPoint)listener.LocalEndPoint!);
        });
        // The sockets that hold the port: to let go of it and take it again could fail while processes are being started,
        // as each has this process's sockets for a moment.
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = endpoint => access.Listeners.Single(listener => endpoint.Equals(listener.LocalEndPoint)));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.Use(new DashboardGuard(access).CheckAsync);
        new DashboardApi(supervisor, new ResourceViews(supervisor, environment.ApplicationName, time), logs, scraper, time, logger, _stopping.Token).Map(app);
        return app;
    }
}
