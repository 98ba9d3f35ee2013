using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Telemetry.Hosting.Run;

/// <summary>
/// Decides everything before a process is started: what is run, in which order, on which ports, with which variables.
/// Whatever is wrong with the model, the build or the ports is found here.
/// </summary>
internal sealed class RunPlan : IDisposable
{
    /// <summary>Configuration: with <c>true</c>, no outer port is fixed, so that several applications can run at the same time.</summary>
    public const string RandomizePorts = "DcpPublisher:RandomizePorts";

    private readonly List<PlannedResource> _resources = [];

    private RunPlan()
    {
    }

    /// <summary>The resources in the order in which they were added.</summary>
    public IReadOnlyList<PlannedResource> Resources => _resources;

    /// <summary>Makes the plan and holds its ports.</summary>
    /// <exception cref="DistributedApplicationException">The application cannot be started.</exception>
    public static async Task<RunPlan> CreateAsync(
        IResourceCollection resources, IConfiguration configuration, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        var plan = new RunPlan();
        try
        {
            foreach (var resource in resources.OfType<ProjectResource>())
                plan._resources.Add(Plan(resource));
            plan.Connect();
            foreach (var resource in plan._resources)
                AllocatePorts(resource, configuration);
            foreach (var resource in plan._resources)
            {
                PlanHealthChecks(resource);
                foreach (var replica in resource.Replicas)
                    await ReplicaEnvironment.FillAsync(resource, replica, configuration, context, cancellationToken);
            }
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var endpoint in _resources.SelectMany(resource => resource.Endpoints))
            endpoint.Dispose();
    }

    private static PlannedResource Plan(ProjectResource resource)
    {
        var project = resource.Annotations.OfType<IProjectMetadata>().Last();
        if (project is not IBuiltProject built)
            throw new DistributedApplicationException($"resource {resource.Name}: {project.GetType().Name} does not say where its assembly is built");
        if (!File.Exists(built.AssemblyPath))
            throw new DistributedApplicationException($"{resource.Name} is not built: {built.AssemblyPath} is missing; build it with: dotnet build {project.ProjectPath}");
        return new PlannedResource(resource, project, built.AssemblyPath, resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1);
    }

    private void Connect()
    {
        foreach (var resource in _resources)
        {
            foreach (var wait in resource.Resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).Distinct())
            {
                // Parameters are there from the beginning.
                if (_resources.Find(other => other.Resource == wait) is not { } dependency)
                    continue;
                resource.Dependencies.Add(dependency);
                dependency.Dependents.Add(resource);
            }
        }
        var done = new HashSet<PlannedResource>();
        foreach (var resource in _resources)
            RefuseCycle(resource, [], done);
    }

    private static void RefuseCycle(PlannedResource resource, List<PlannedResource> path, HashSet<PlannedResource> done)
    {
        if (done.Contains(resource))
            return;
        if (path.Contains(resource))
        {
            var circle = path.Skip(path.IndexOf(resource)).Append(resource).Select(r => r.Name);
            throw new DistributedApplicationException($"resources wait for each other: {string.Join(" waits for ", circle)}");
        }
        path.Add(resource);
        foreach (var dependency in resource.Dependencies)
            RefuseCycle(dependency, path, done);
        path.RemoveAt(path.Count - 1);
        done.Add(resource);
    }

    private static void AllocatePorts(PlannedResource resource, IConfiguration configuration)
    {
        foreach (var endpoint in resource.Resource.Annotations.OfType<EndpointAnnotation>())
        {
            var replicas = resource.Replicas.Count;
            if (replicas > 1 && (endpoint.TargetPort is not null || !endpoint.IsProxied))
            {
                throw new DistributedApplicationException(
                    $"endpoint {endpoint.Name} of {resource.Name} cannot have a fixed target port: {replicas} replicas cannot listen on one port");
            }
            var outer = Reserve(resource, endpoint, configuration);
            // One process that may choose its port listens on the outer one itself: nothing is lost on a proxy.
            var direct = replicas == 1 && (endpoint.TargetPort is null || endpoint.TargetPort == outer.Port);
            IReadOnlyList<ReservedPort> targets = direct ? [outer]
                : endpoint.TargetPort is { } target ? [Reserve(resource, endpoint, target, configuration)]
                : [.. Enumerable.Range(0, replicas).Select(_ => Ports.ReserveFree())];
            endpoint.AllocatedPort = outer.Port;
            resource.Endpoints.Add(new PlannedEndpoint(endpoint, outer, targets));
        }
    }

    private static ReservedPort Reserve(PlannedResource resource, EndpointAnnotation endpoint, IConfiguration configuration)
    {
        var random = endpoint.IsProxied && bool.TryParse(configuration[RandomizePorts], out var randomize) && randomize;
        var port = random ? null : endpoint.Port ?? (endpoint.IsProxied ? null : endpoint.TargetPort);
        return port is { } wanted ? Reserve(resource, endpoint, wanted, configuration) : Ports.ReserveFree();
    }

    private static ReservedPort Reserve(PlannedResource resource, EndpointAnnotation endpoint, int port, IConfiguration configuration)
    {
        if (Ports.TryReserve(port) is { } reserved)
            return reserved;
        // Configuration keys are flags: the one that has this value and the resource's name in it is what to change.
        var flag = configuration.AsEnumerable()
            .Where(pair => pair.Value == port.ToString(CultureInfo.InvariantCulture) && pair.Key.Contains(resource.Name, StringComparison.OrdinalIgnoreCase))
            .Select(pair => pair.Key)
            .MinBy(key => key.Length);
        var advice = flag is null ? "" : string.Create(CultureInfo.InvariantCulture, $", or choose another port: --{flag}={FreeAfter(port)}");
        throw new DistributedApplicationException(
            string.Create(CultureInfo.InvariantCulture, $"port {port} is in use by another program (wanted for endpoint {endpoint.Name} of {resource.Name}): stop that program{advice}"));
    }

    private static int FreeAfter(int port)
    {
        for (var next = port + 1; next < ushort.MaxValue; next++)
        {
            using var reserved = Ports.TryReserve(next);
            if (reserved is not null)
                return next;
        }
        return 0;
    }

    private static void PlanHealthChecks(PlannedResource resource)
    {
        foreach (var check in resource.Resource.Annotations.OfType<HttpHealthCheckAnnotation>())
        {
            var endpoint = resource.Endpoints.Find(e => check.EndpointName is null
                    ? e.Annotation.UriScheme is "http" or "https"
                    : string.Equals(e.Annotation.Name, check.EndpointName, StringComparison.OrdinalIgnoreCase))
                ?? throw new DistributedApplicationException($"resource {resource.Name} has no endpoint '{check.EndpointName ?? "http"}' for its health check");
            foreach (var replica in resource.Replicas)
            {
                var address = new UriBuilder(endpoint.Annotation.UriScheme, "localhost", endpoint.TargetPorts[replica.Index].Port).Uri;
                replica.HealthChecks.Add(new PlannedHealthCheck(new Uri(address, check.Path), check.StatusCode));
            }
        }
    }
}
