using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Dashboard;

namespace Telemetry.Hosting.Run;

/// <summary>Starts all replicas, says when everything is up, and stops them in reverse order.</summary>
internal sealed class Supervisor(
    IResourceCollection resources, IConfiguration configuration, DistributedApplicationExecutionContext execution,
    ResourceNotificationService notifications, HostConsole console, RunOutput output, DashboardAccess dashboard, HostTimings timings,
    TimeProvider time, IHostApplicationLifetime lifetime, ILogger<Supervisor> logger) : IHostedService, IAsyncDisposable
{
    private readonly HttpClient _health = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly CancellationTokenSource _disposed = new();
    private readonly List<TcpProxy> _proxies = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private RunPlan? _plan;
    private Task _settle = Task.CompletedTask;
    private Task _end = Task.CompletedTask;
    private IReadOnlyList<RunningResource> _running = [];
    private bool _stopping;

    /// <summary>Whether everything has ended by itself, and something of it with a failure.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The resources that were started; none before that.</summary>
    public IReadOnlyList<RunningResource> Resources => Volatile.Read(ref _running);

    /// <summary>Raised with every change of a replica.</summary>
    public ChangeSignal Changes { get; } = new();

    private IEnumerable<Replica> Replicas => _running.SelectMany(running => running.Replicas);

    /// <summary>Decides everything that can be decided, and fails if something is wrong, before a process is started.</summary>
    /// <exception cref="DistributedApplicationException">The application cannot be started.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        _plan = await RunPlan.CreateAsync(resources, configuration, execution, cancellationToken);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var plan = _plan ?? throw new InvalidOperationException("the application was not prepared");
        var services = new ReplicaServices(notifications, Changes, output, timings, time, new HealthMonitor(_health, timings, time), logger);
        Volatile.Write(ref _running, [.. plan.Resources.Select(resource =>
            new RunningResource(resource, [.. resource.Replicas.Select(replica => new Replica(resource, replica, services))]))]);
        foreach (var replica in Replicas)
            replica.Announce();
        foreach (var (resource, replicas) in _running)
        {
            foreach (var endpoint in resource.Endpoints.Where(endpoint => endpoint.HasProxy))
                _proxies.Add(new TcpProxy(endpoint.Outer.Listeners, () => Usable(endpoint, replicas)));
        }
        HostingLog.Starting(logger, string.Join(", ", _running.Select(r => r.Replicas.Count == 1 ? r.Plan.Name : $"{r.Plan.Name} ×{r.Replicas.Count}")));
        await Task.WhenAll(Replicas.Select(replica => replica.StartAsync()));
        _settle = SettleAsync();
        _end = EndAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        var started = Stopwatch.GetTimestamp();
        var running = Replicas.Any(replica => !replica.Completion.IsCompleted);
        if (running)
            HostingLog.Stopping(logger);
        var stops = new Dictionary<PlannedResource, Task>();
        foreach (var (resource, _) in _running)
            _ = Stop(resource);
        await Task.WhenAll(stops.Values);
        await _end;
        if (running)
            HostingLog.Stopped(logger, Stopwatch.GetElapsedTime(started).TotalSeconds);

        // Each after everything that waits for it.
        Task Stop(PlannedResource resource)
        {
            if (!stops.TryGetValue(resource, out var stop))
                stops[resource] = stop = StopAfterAsync(resource, [.. resource.Dependents.Select(Stop)]);
            return stop;
        }
    }

    /// <summary>Ends all processes without asking.</summary>
    public void KillAll()
    {
        foreach (var replica in Replicas)
            replica.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        // Registered twice, as itself and as a hosted service, it is disposed twice.
        if (_disposed.IsCancellationRequested)
            return;
        await StopAsync(CancellationToken.None);
        await _disposed.CancelAsync();
        await _settle;
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        foreach (var replica in Replicas)
            replica.Dispose();
        _plan?.Dispose();
        _health.Dispose();
    }

    private async Task StopAfterAsync(PlannedResource resource, Task[] dependents)
    {
        await Task.WhenAll(dependents);
        await Task.WhenAll(_running.First(running => running.Plan == resource).Replicas.Select(replica => replica.CloseAsync()));
    }

    /// <summary>Says where things are once every replica is healthy or will never be.</summary>
    private async Task SettleAsync()
    {
        try
        {
            await foreach (var _ in notifications.WatchAsync(_disposed.Token))
            {
                if (Replicas.All(replica => IsSettled(replica.Status)))
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
        var missing = Replicas.Where(replica => replica.Status.IsStopped || replica.Status.State == KnownResourceStates.FailedToStart).Select(replica => replica.Id).ToList();
        if (Replicas.Any(replica => replica.Snapshot.HealthStatus == HealthStatus.Healthy))
            console.Text(ReadyReport.Text(_plan!.Resources, missing, dashboard.Url, Stopwatch.GetElapsedTime(_started)));
    }

    /// <summary>Stops the application when nothing of it runs any more.</summary>
    private async Task EndAsync()
    {
        // One that has ended may have been started again by the time that the last one ends.
        while (!Replicas.All(replica => replica.Completion.IsCompleted))
            await Task.WhenAll(Replicas.Select(replica => replica.Completion));
        if (_stopping || lifetime.ApplicationStopping.IsCancellationRequested)
            return;
        var failed = Replicas.Where(replica => replica.Snapshot.State?.Text != KnownResourceStates.Finished).Select(replica => replica.Id).ToList();
        HasFailed = failed.Count > 0;
        if (HasFailed)
            HostingLog.NothingRuns(logger, $"{string.Join(", ", failed)} failed");
        else
            HostingLog.AllFinished(logger);
        lifetime.StopApplication();
    }

    private static bool IsSettled(ReplicaStatus status) =>
        status.IsHealthy || status.IsStopped || KnownResourceStates.IsFinal(status.State);

    /// <summary>The ports of the healthy replicas; of all that run where none is healthy.</summary>
    private static IReadOnlyList<int> Usable(PlannedEndpoint endpoint, IReadOnlyList<Replica> replicas)
    {
        var running = replicas.Where(replica => replica.Snapshot.State?.Text == KnownResourceStates.Running).ToList();
        var healthy = running.Where(replica => replica.Snapshot.HealthStatus == HealthStatus.Healthy).ToList();
        return [.. (healthy.Count > 0 ? healthy : running).Select(replica => endpoint.TargetPorts[replica.Index].Port)];
    }
}
