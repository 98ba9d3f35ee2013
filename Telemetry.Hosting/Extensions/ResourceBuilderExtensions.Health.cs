using System.Diagnostics.CodeAnalysis;
using System.Net;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Starts a resource only when every replica of another runs and is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dependency);
        return builder.WithAnnotation(new WaitAnnotation(dependency.Resource));
    }

    /// <summary>A replica is healthy when it answers a GET with a certain status.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="path">The path; <c>/</c> unless given.</param>
    /// <param name="statusCode">The status; 200 unless given.</param>
    /// <param name="endpointName">The endpoint; the first HTTP endpoint unless given.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new HttpHealthCheckAnnotation(endpointName, path ?? "/", statusCode ?? (int)HttpStatusCode.OK));
    }

    /// <summary>A cluster asks the program with a GET; where the application is run it is a health check.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="type">What the answer decides; there is one probe of each type.</param>
    /// <param name="path">The path; <c>/</c> unless given.</param>
    /// <param name="initialDelaySeconds">How long to wait before the first; 5 unless given.</param>
    /// <param name="periodSeconds">How often it is asked; 5 unless given.</param>
    /// <param name="timeoutSeconds">How long an answer may take; 1 unless given.</param>
    /// <param name="failureThreshold">How many failures in a row count; 3 unless given.</param>
    /// <param name="successThreshold">How many successes in a row count; 1 unless given.</param>
    /// <param name="endpointName">The endpoint; the first HTTP endpoint unless given.</param>
    [Experimental("ASPIREPROBES001")]
    public static IResourceBuilder<T> WithHttpProbe<T>(
        this IResourceBuilder<T> builder, ProbeType type, string? path = null, int? initialDelaySeconds = null, int? periodSeconds = null, int? timeoutSeconds = null,
        int? failureThreshold = null, int? successThreshold = null, string? endpointName = null)
        where T : IResourceWithEndpoints, IResourceWithProbes
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = endpointName
            ?? builder.Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => endpoint.UriScheme is "http" or "https")?.Name
            ?? throw new DistributedApplicationException($"resource {builder.Resource.Name} has no HTTP endpoint for its probe");
        if (builder.Resource.Annotations.OfType<HttpProbeAnnotation>().FirstOrDefault(probe => probe.Type == type) is { } earlier)
            builder.Resource.Annotations.Remove(earlier);
        builder.WithAnnotation(new HttpProbeAnnotation(type, builder.GetEndpoint(name), path ?? "/")
        {
            InitialDelaySeconds = initialDelaySeconds ?? 5,
            PeriodSeconds = periodSeconds ?? 5,
            TimeoutSeconds = timeoutSeconds ?? 1,
            FailureThreshold = failureThreshold ?? 3,
            SuccessThreshold = successThreshold ?? 1,
        });
        return builder.WithHttpHealthCheck(path, endpointName: name);
    }
}
