using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Hosting.Run;

/// <summary>A resource with everything decided that its processes need.</summary>
internal sealed class PlannedResource(ProjectResource resource, IProjectMetadata project, string assemblyPath, int replicas)
{
    public ProjectResource Resource { get; } = resource;

    public string Name => Resource.Name;

    /// <summary>The assembly that is run.</summary>
    public string AssemblyPath { get; } = assemblyPath;

    /// <summary>The project's folder, as under Aspire.</summary>
    public string WorkingDirectory { get; } = Path.GetDirectoryName(project.ProjectPath) ?? Environment.CurrentDirectory;

    /// <summary>The resources that must be healthy before this one starts.</summary>
    public List<PlannedResource> Dependencies { get; } = [];

    /// <summary>The resources that wait for this one, and so are stopped before it.</summary>
    public List<PlannedResource> Dependents { get; } = [];

    public List<PlannedEndpoint> Endpoints { get; } = [];

    public IReadOnlyList<PlannedReplica> Replicas { get; } = [.. Enumerable.Range(0, replicas).Select(index => new PlannedReplica($"{resource.Name}-{index}", index))];
}

/// <summary>One process of a resource.</summary>
internal sealed class PlannedReplica(string id, int index)
{
    /// <summary>As <c>broker-0</c>.</summary>
    public string Id { get; } = id;

    public int Index { get; } = index;

    /// <summary>The variables that are added to the host's own.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>The values among them that are secret, so must not be shown.</summary>
    public HashSet<string> Secrets { get; } = [];

    public List<PlannedHealthCheck> HealthChecks { get; } = [];
}

/// <summary>A GET that a healthy replica answers with a certain status.</summary>
internal sealed record PlannedHealthCheck(Uri Address, int StatusCode);

/// <summary>
/// An endpoint with its ports. Where a process listens on the outer port itself, <paramref name="TargetPorts"/> is that
/// one; otherwise a proxy listens there and each replica has a port of its own.
/// </summary>
internal sealed record PlannedEndpoint(EndpointAnnotation Annotation, ReservedPort Outer, IReadOnlyList<ReservedPort> TargetPorts) : IDisposable
{
    public bool HasProxy => !ReferenceEquals(TargetPorts[0], Outer);

    public void Dispose()
    {
        Outer.Dispose();
        foreach (var port in TargetPorts)
            port.Dispose();
    }
}
