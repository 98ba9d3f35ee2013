namespace Aspire.Hosting.ApplicationModel;

/// <summary>A .NET project that runs as one process a replica.</summary>
public class ProjectResource(string name) : Resource(name),
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport, IResourceWithProbes, IComputeResource;
