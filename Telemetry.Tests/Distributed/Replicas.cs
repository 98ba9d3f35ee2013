using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Tests.Distributed;

/// <summary>
/// What the host tells about the processes of an application. A host may or may not start a killed process again: a test
/// counts on neither.
/// </summary>
internal sealed class Replicas : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, ResourceEvent> _latest = [];
    private readonly HashSet<string> _killed = [];
    private readonly HashSet<int> _killedProcesses = [];
    private readonly Task _watching;

    public Replicas(ResourceNotificationService notifications) => _watching = WatchAsync(notifications);

    /// <summary>What is known now about the replicas of a resource.</summary>
    public IReadOnlyList<ResourceEvent> Of(string resource)
    {
        lock (_latest)
            return [.. _latest.Values.Where(replica => replica.Resource.Name == resource).OrderBy(replica => replica.ResourceId, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Kills (-9) the process of a replica that runs, one that was not killed before if there is any; the replica counts as
    /// killed from then on.
    /// </summary>
    public async Task KillAsync(string resource, CancellationToken cancellationToken)
    {
        var victim = Victim(resource) ?? throw new InvalidOperationException($"no {resource} runs\n{this}");
        _killed.Add(victim.ResourceId);
        _killedProcesses.Add(ProcessId(victim));
        using var process = Process.GetProcessById(ProcessId(victim));
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Whether a process runs that was not killed: one that a host has started again may be.</summary>
    public bool AnyRuns(string resource) => Victim(resource) is not null;

    /// <summary>Whether every replica that was not killed has ended by itself.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">One of them has ended with a failure.</exception>
    public bool HaveEndedWell(string resource)
    {
        var survivors = Of(resource).Where(replica => !_killed.Contains(replica.ResourceId)).ToList();
        foreach (var replica in survivors.Where(HasEnded))
            Assert.True(replica.Snapshot.ExitCode is 0, $"{replica.ResourceId} is {replica.Snapshot.State?.Text} with exit code {replica.Snapshot.ExitCode}");
        return survivors.Count > 0 && survivors.All(HasEnded);
    }

    /// <summary>Whether the last process of a replica is still there.</summary>
    public static bool Runs(ResourceEvent replica)
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId(replica));
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false; // there is no such process
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    public override string ToString()
    {
        lock (_latest)
            return string.Join('\n', _latest.Values.Select(replica => $"{replica.ResourceId}: {replica.Snapshot.State?.Text} {replica.Snapshot.HealthStatus} {replica.Snapshot.ExitCode}"));
    }

    private ResourceEvent? Victim(string resource) =>
        Of(resource).Where(replica => replica.Snapshot.State?.Text == KnownResourceStates.Running && !_killedProcesses.Contains(ProcessId(replica)))
            .OrderBy(replica => _killed.Contains(replica.ResourceId)).FirstOrDefault();

    private static bool HasEnded(ResourceEvent replica) => KnownResourceStates.TerminalStates.Contains(replica.Snapshot.State?.Text);

    private static int ProcessId(ResourceEvent replica) =>
        Convert.ToInt32(replica.Snapshot.Properties.Single(property => property.Name == "executable.pid").Value, CultureInfo.InvariantCulture);

    private async Task WatchAsync(ResourceNotificationService notifications)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(_stop.Token))
            {
                lock (_latest)
                    _latest[change.ResourceId] = change;
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }
}
