using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Telemetry.Hosting.Run;

/// <summary>What is known about a replica at one moment: Aspire's snapshot, and what only this host tells.</summary>
internal sealed record ReplicaStatus(CustomResourceSnapshot Snapshot)
{
    /// <summary>The process, while there is one.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Why the health check fails; empty where it does not.</summary>
    public string HealthReason { get; init; } = "";

    /// <summary>Whether the present process was healthy once.</summary>
    public bool WasHealthy { get; init; }

    /// <summary>How often the process was started again because it had failed.</summary>
    public int Restarts { get; init; }

    /// <summary>When a process that has failed is started again (UTC).</summary>
    public DateTime? NextStart { get; init; }

    /// <summary>Whether it was stopped by a command, and so stays stopped.</summary>
    public bool IsStopped { get; init; }

    /// <summary>One of <see cref="KnownResourceStates"/>.</summary>
    public string State => Snapshot.State?.Text ?? KnownResourceStates.NotStarted;

    /// <summary>Whether it runs and its health checks are content.</summary>
    public bool IsHealthy => State == KnownResourceStates.Running && Snapshot.HealthStatus == HealthStatus.Healthy;
}
