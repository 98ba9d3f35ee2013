using System.ComponentModel;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>What every replica needs of the host.</summary>
internal sealed record ReplicaServices(
    ResourceNotificationService Notifications, ChangeSignal Changes, RunOutput Output, HostTimings Timings, TimeProvider Time, HealthMonitor Health, ILogger Logger);

/// <summary>
/// Keeps one process of a resource running: waits for what it depends on, starts it, watches its health, starts it again
/// when it fails, and stops it.
/// </summary>
internal sealed partial class Replica(PlannedResource resource, PlannedReplica plan, ReplicaServices services) : IDisposable
{
    /// <summary>The exit code of a program whose settings cannot be used; a further start would not change that.</summary>
    private const int ExitBadSettings = 2;

    private readonly Lock _lock = new();
    private ReplicaStatus _status = new(new CustomResourceSnapshot { ResourceType = "Project", State = KnownResourceStates.NotStarted });
    private RestartDelay _delay = new(services.Timings);
    private ChildProcess? _process;
    private bool _wasHealthy;
    private int _failedStarts;

    public string Id => plan.Id;

    public int Index => plan.Index;

    public PlannedReplica Plan => plan;

    public ReplicaStatus Status => Volatile.Read(ref _status);

    public CustomResourceSnapshot Snapshot => Status.Snapshot;

    /// <summary>Makes the replica known.</summary>
    public void Announce() => Set(snapshot => snapshot with { });

    /// <summary>Ends the process without asking.</summary>
    public void Kill()
    {
        lock (_lock)
            _process?.Kill();
    }

    public void Dispose()
    {
        _stop.Dispose();
        _command.Dispose();
    }

    private async Task RunAsync(bool waits)
    {
        try
        {
            if (!waits || await DependenciesAreHealthyAsync())
                await KeepRunningAsync();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped while it waited: there is no process.
            SetState(KnownResourceStates.Exited);
        }
        catch (Exception error)
        {
            HostingLog.SupervisionFailed(services.Logger, Id, error);
            Kill();
            SetState(KnownResourceStates.FailedToStart);
        }
    }

    private async Task<bool> DependenciesAreHealthyAsync()
    {
        if (resource.Dependencies.Count == 0)
            return true;
        SetState(KnownResourceStates.Waiting);
        HostingLog.Waiting(services.Logger, Id, string.Join(", ", resource.Dependencies.Select(d => d.Name)));
        try
        {
            await Task.WhenAll(resource.Dependencies.Select(d => services.Notifications.WaitForResourceHealthyAsync(d.Name, _stop.Token)));
            return true;
        }
        catch (DistributedApplicationException error)
        {
            SetState(KnownResourceStates.FailedToStart);
            HostingLog.NotStarted(services.Logger, Id, error.Message);
            return false;
        }
    }

    private async Task KeepRunningAsync()
    {
        while (true)
        {
            SetState(KnownResourceStates.Starting);
            if (StartProcess() is not { } process)
                return;
            using (process)
            {
                var exitCode = await WatchAsync(process);
                lock (_lock)
                    _process = null;
                if (HasEnded(process, exitCode))
                    return;
            }
            await PauseAsync(process);
        }
    }

    private ChildProcess? StartProcess()
    {
        // The ports are given up only now, so that nobody else could take them while this replica waited.
        foreach (var endpoint in resource.Endpoints)
            endpoint.TargetPorts[plan.Index].Dispose();
        try
        {
            lock (_lock)
            {
                _stop.Token.ThrowIfCancellationRequested();
                _process = ChildProcess.Start(
                    resource.AssemblyPath, resource.WorkingDirectory, plan.Environment, (text, isError) => services.Output.Line(Id, text, isError));
                return _process;
            }
        }
        catch (Win32Exception error)
        {
            SetState(KnownResourceStates.FailedToStart);
            HostingLog.NotStarted(services.Logger, Id, error.Message);
            return null;
        }
    }

    /// <summary>Watches the health of a process until it has ended, by itself or because it is stopped. Returns its exit code.</summary>
    private async Task<int> WatchAsync(ChildProcess process)
    {
        HostingLog.Started(services.Logger, Id, process.Id);
        var healthy = plan.HealthChecks.Count == 0;
        _wasHealthy |= healthy;
        Set(
            snapshot => snapshot with
            {
                State = KnownResourceStates.Running,
                Properties = [new ResourcePropertySnapshot("executable.pid", process.Id)],
                StartTimeStamp = services.Time.GetUtcNow().UtcDateTime,
                StopTimeStamp = null,
                HealthStatus = healthy ? HealthStatus.Healthy : HealthStatus.Unhealthy,
            },
            status => status with { ProcessId = process.Id, HealthReason = "", WasHealthy = healthy, NextStart = null, IsStopped = false });
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var health = plan.HealthChecks.Count == 0
            ? Task.CompletedTask
            : services.Health.RunAsync(plan.HealthChecks, HealthChanged, ended.Token);

        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, ended.Token);
        var first = await Task.WhenAny(process.Ended, stopped, health);
        await ended.CancelAsync();
        await health.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first == health && health.IsFaulted)
            await health; // its error is the supervision's
        if (!process.Ended.IsCompleted && _stop.IsCancellationRequested)
            await EndAsync(process);
        return await process.Ended;
    }

    private async Task EndAsync(ChildProcess process)
    {
        SetState(KnownResourceStates.Stopping);
        process.RequestStop();
        try
        {
            await process.Ended.WaitAsync(services.Timings.StopTimeout, services.Time);
        }
        catch (TimeoutException)
        {
            HostingLog.Killed(services.Logger, Id, services.Timings.StopTimeout.TotalSeconds);
            process.Kill();
        }
    }

    /// <summary>Says what became of a process that has ended, and whether that is the end of the replica.</summary>
    private bool HasEnded(ChildProcess process, int exitCode)
    {
        var reason = process.LastErrorLine is { } line ? $": {line}" : "";
        if (_isHeld)
        {
            // Exited, not finished: those that wait for it go on waiting, as it can be started again.
            HostingLog.StoppedByCommand(services.Logger, Id, exitCode);
            SetEnded(KnownResourceStates.Exited, exitCode);
            return true;
        }
        if (_stop.IsCancellationRequested || exitCode == 0)
        {
            if (!_stop.IsCancellationRequested)
                HostingLog.Finished(services.Logger, Id);
            SetEnded(exitCode == 0 ? KnownResourceStates.Finished : KnownResourceStates.Exited, exitCode);
            return true;
        }
        if (exitCode == ExitBadSettings)
        {
            HostingLog.BadSettings(services.Logger, Id, reason);
            SetEnded(KnownResourceStates.FailedToStart, exitCode);
            return true;
        }
        if (!_wasHealthy && ++_failedStarts >= services.Timings.StartAttemptsMax)
        {
            HostingLog.GivenUp(services.Logger, Id, _failedStarts, exitCode, reason);
            SetEnded(KnownResourceStates.FailedToStart, exitCode);
            return true;
        }
        SetEnded(KnownResourceStates.Exited, exitCode);
        return false;
    }

    private Task PauseAsync(ChildProcess process)
    {
        var snapshot = Snapshot;
        var uptime = snapshot.StopTimeStamp!.Value - snapshot.StartTimeStamp!.Value;
        var delay = _delay.Next(uptime);
        var reason = process.LastErrorLine is { } line ? $" ({line})" : "";
        HostingLog.Restarting(services.Logger, Id, uptime.TotalSeconds, snapshot.ExitCode!.Value, reason, delay.TotalSeconds);
        SetDetails(status => status with { Restarts = status.Restarts + 1, NextStart = services.Time.GetUtcNow().UtcDateTime + delay });
        return Task.Delay(delay, services.Time, _stop.Token);
    }

    private void HealthChanged(HealthStatus status, string reason)
    {
        if (status == Snapshot.HealthStatus)
        {
            SetDetails(details => details with { HealthReason = reason });
            return;
        }
        if (status != HealthStatus.Healthy)
            HostingLog.Unhealthy(services.Logger, Id, reason);
        else if (_wasHealthy)
            HostingLog.HealthyAgain(services.Logger, Id);
        _wasHealthy |= status == HealthStatus.Healthy;
        Set(
            snapshot => snapshot with { HealthStatus = status },
            details => details with { HealthReason = reason, WasHealthy = details.WasHealthy || status == HealthStatus.Healthy });
    }

    private void SetState(string state) => Set(
        snapshot => snapshot with { State = state, HealthStatus = null },
        status => status with { HealthReason = "", NextStart = null, IsStopped = _isHeld && state == KnownResourceStates.Exited });

    private void SetEnded(string state, int exitCode) => Set(
        snapshot => snapshot with
        {
            State = state,
            ExitCode = exitCode,
            StopTimeStamp = services.Time.GetUtcNow().UtcDateTime,
            HealthStatus = null,
        },
        status => status with { ProcessId = null, HealthReason = "", IsStopped = _isHeld });

    /// <summary>Changes what Aspire's notifications tell, and what only this host tells.</summary>
    private void Set(Func<CustomResourceSnapshot, CustomResourceSnapshot> change, Func<ReplicaStatus, ReplicaStatus>? details = null)
    {
        var snapshot = change(_status.Snapshot);
        SetDetails(status => (details?.Invoke(status) ?? status) with { Snapshot = snapshot });
        services.Notifications.Publish(new ResourceEvent(resource.Resource, Id, snapshot));
    }

    private void SetDetails(Func<ReplicaStatus, ReplicaStatus> change)
    {
        Volatile.Write(ref _status, change(_status));
        services.Changes.Raise();
    }
}
