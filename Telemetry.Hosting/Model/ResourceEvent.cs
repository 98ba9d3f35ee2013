using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A state's name.</summary>
public sealed record ResourceStateSnapshot(string Text, string? Style = null)
{
    /// <summary>A state by its name.</summary>
    public static implicit operator ResourceStateSnapshot?(string? text) => text is null ? null : new ResourceStateSnapshot(text);
}

/// <summary>A further fact about a replica, as <c>executable.pid</c>.</summary>
public sealed record ResourcePropertySnapshot(string Name, object? Value)
{
    /// <summary>Whether the value must not be shown.</summary>
    public bool IsSensitive { get; init; }
}

/// <summary>What is known about a replica at one moment.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>The kind of resource, as <c>Project</c>.</summary>
    public required string ResourceType { get; init; }

    /// <summary>Further facts: <c>executable.pid</c> is the process id (int) of the last process.</summary>
    public ImmutableArray<ResourcePropertySnapshot> Properties { get; init; } = [];

    /// <summary>One of <see cref="KnownResourceStates"/>.</summary>
    public ResourceStateSnapshot? State { get; init; }

    /// <summary>The exit code of the last process that ended.</summary>
    public int? ExitCode { get; init; }

    /// <summary>When the process was started (UTC).</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>When the process ended (UTC).</summary>
    public DateTime? StopTimeStamp { get; init; }

    /// <summary>The worst of the health checks; a running replica without health checks is healthy; null while it does not run.</summary>
    public HealthStatus? HealthStatus { get; init; }
}

/// <summary>A replica has changed.</summary>
public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The replica, as <c>broker-0</c>.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>What is known now.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;

    internal string State => Snapshot.State?.Text ?? KnownResourceStates.NotStarted;

    internal bool IsHealthy => State == KnownResourceStates.Running && Snapshot.HealthStatus == HealthStatus.Healthy;
}
