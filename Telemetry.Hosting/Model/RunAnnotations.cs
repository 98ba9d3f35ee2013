using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a probe decides.</summary>
[Experimental("ASPIREPROBES001")]
public enum ProbeType
{
    /// <summary>Whether the program has started.</summary>
    Startup,

    /// <summary>Whether the program can be asked something.</summary>
    Readiness,

    /// <summary>Whether the program is not stuck.</summary>
    Liveness,
}

/// <summary>A GET by which a cluster decides something about a program.</summary>
internal sealed record HttpProbeAnnotation(ProbeType Type, EndpointReference Endpoint, string Path) : IResourceAnnotation
{
    public int InitialDelaySeconds { get; init; }

    public int PeriodSeconds { get; init; }

    public int TimeoutSeconds { get; init; }

    public int FailureThreshold { get; init; }

    public int SuccessThreshold { get; init; }
}

/// <summary>How many processes a resource has.</summary>
public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    /// <summary>At least 1.</summary>
    public int Replicas { get; } = replicas;
}

/// <summary>A resource that must be healthy before this one starts.</summary>
public class WaitAnnotation(IResource resource) : IResourceAnnotation
{
    /// <summary>The resource to wait for.</summary>
    public IResource Resource { get; } = resource;
}

/// <summary>A GET that a healthy replica answers with a certain status.</summary>
internal sealed record HttpHealthCheckAnnotation(string? EndpointName, string Path, int StatusCode) : IResourceAnnotation;
