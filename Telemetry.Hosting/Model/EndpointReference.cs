using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The address of an endpoint, which is known once the application has started.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IValueProvider
{
    /// <summary>The resource that has the endpoint.</summary>
    public IResourceWithEndpoints Resource { get; } = owner;

    /// <summary>The endpoint's name.</summary>
    public string EndpointName { get; } = endpointName;

    /// <summary>Whether the resource has an endpoint of that name.</summary>
    public bool Exists => Find() is not null;

    /// <summary>Whether the address is known.</summary>
    public bool IsAllocated => Find()?.AllocatedPort is not null;

    /// <summary>The port to connect to.</summary>
    /// <exception cref="InvalidOperationException">The address is not known yet.</exception>
    public int Port => EndpointAnnotation.AllocatedPort
        ?? throw new InvalidOperationException($"the endpoint '{EndpointName}' of '{Resource.Name}' has no address before the application has started");

    /// <summary>The scheme of the address.</summary>
    public string Scheme => EndpointAnnotation.UriScheme;

    /// <summary>The address, as <c>http://localhost:40002</c>.</summary>
    /// <exception cref="InvalidOperationException">The address is not known yet.</exception>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"{Scheme}://localhost:{Port}");

    internal EndpointAnnotation EndpointAnnotation => Find()
        ?? throw new DistributedApplicationException($"resource {Resource.Name} has no endpoint '{EndpointName}'");

    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(Url);

    private EndpointAnnotation? Find() => Resource.Annotations.OfType<EndpointAnnotation>()
        .FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}
