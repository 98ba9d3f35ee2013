namespace Aspire.Hosting.ApplicationModel;

/// <summary>An address that is shown to the person who started the application.</summary>
public sealed class ResourceUrlAnnotation : IResourceAnnotation
{
    /// <summary>The address; a path is one of <see cref="Endpoint"/>.</summary>
    public required string Url { get; set; }

    /// <summary>What is shown for it.</summary>
    public string? DisplayText { get; set; }

    /// <summary>The endpoint that a path belongs to.</summary>
    public EndpointReference? Endpoint { get; init; }
}

/// <summary>Makes the address of an endpoint once it is allocated.</summary>
internal sealed record EndpointUrlAnnotation(EndpointReference Endpoint, Func<EndpointReference, ResourceUrlAnnotation> Create) : IResourceAnnotation;
