using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Collects the resources of an application, then builds it.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>Command line, environment variables and appsettings.json of the AppHost.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The folder of the AppHost's project file.</summary>
    string AppHostDirectory { get; }

    /// <summary>The AppHost's own environment, as Development.</summary>
    IHostEnvironment Environment { get; }

    /// <summary>The AppHost's own services.</summary>
    IServiceCollection Services { get; }

    /// <summary>Whether the application runs or is published.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>The resources that were added.</summary>
    IResourceCollection Resources { get; }

    /// <summary>The steps by which the application is published.</summary>
    IDistributedApplicationPipeline Pipeline { get; }

    /// <summary>Adds a resource.</summary>
    /// <exception cref="DistributedApplicationException">There is a resource of that name (names do not differ by case only).</exception>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    /// <summary>A builder for a resource that is not, or already, part of the application.</summary>
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;

    /// <summary>Builds the application.</summary>
    DistributedApplication Build();
}
