using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>What a test asks of an application that runs. Names of resources do not differ by case only.</summary>
public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>A client whose base address is an endpoint.</summary>
    /// <param name="app">The application, started.</param>
    /// <param name="resourceName">The resource.</param>
    /// <param name="endpointName">The endpoint; <c>http</c>, or else <c>https</c>, unless given.</param>
    /// <exception cref="ArgumentException">There is no such resource or endpoint.</exception>
    /// <exception cref="InvalidOperationException">The application has not started.</exception>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var address = app.GetEndpoint(resourceName, endpointName);
        var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.BaseAddress = address;
        return client;
    }

    /// <summary>The address of an endpoint.</summary>
    /// <param name="app">The application, started.</param>
    /// <param name="resourceName">The resource.</param>
    /// <param name="endpointName">The endpoint; <c>http</c>, or else <c>https</c>, unless given.</param>
    /// <exception cref="ArgumentException">There is no such resource or endpoint.</exception>
    /// <exception cref="InvalidOperationException">The application has not started.</exception>
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var resource = Resource(app, resourceName) as IResourceWithEndpoints
            ?? throw new ArgumentException($"resource {resourceName} has no endpoints", nameof(resourceName));
        string[] names = string.IsNullOrEmpty(endpointName) ? ["http", "https"] : [endpointName];
        var endpoint = names.Select(name => new EndpointReference(resource, name)).FirstOrDefault(reference => reference.IsAllocated)
            ?? throw new ArgumentException($"resource {resourceName} has no endpoint '{string.Join("' or '", names)}'", nameof(endpointName));
        return new Uri(endpoint.Url);
    }

    /// <summary>The connection string of a resource.</summary>
    /// <param name="app">The application, started.</param>
    /// <param name="resourceName">The resource.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">There is no such resource, or it has no connection string.</exception>
    /// <exception cref="InvalidOperationException">The application has not started.</exception>
    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        Resource(app, resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"resource {resourceName} has no connection string", nameof(resourceName));

    private static IResource Resource(DistributedApplication app, string name)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested)
            throw new InvalidOperationException("the application has not started");
        return app.Services.GetRequiredService<IResourceCollection>().FirstOrDefault(resource => string.Equals(resource.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException($"there is no resource {name}", nameof(name));
    }
}
