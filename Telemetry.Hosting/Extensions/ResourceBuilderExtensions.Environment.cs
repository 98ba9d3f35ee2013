using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Describes resources: environment, references, endpoints, order and health.</summary>
public static partial class ResourceBuilderExtensions
{
    /// <summary>Sets an environment variable; null is an empty text.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment =>
        builder.WithVariables(variables => variables[name] = value ?? "");

    /// <summary>Sets an environment variable to the address of an endpoint.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment =>
        builder.WithVariables(variables => variables[name] = endpointReference);

    /// <summary>Sets an environment variable to the value of a parameter.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment =>
        builder.WithVariables(variables => variables[name] = parameter.Resource);

    /// <summary>
    /// Tells a resource the addresses of another's endpoints: <c>BROKER_GRPC</c>, and for service discovery
    /// <c>services__broker__&lt;scheme&gt;__&lt;n&gt;</c> (Aspire 13.2 and later) and <c>services__broker__&lt;endpoint&gt;__0</c> (earlier).
    /// </summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment =>
        builder.WithVariables(variables => AddAddresses(variables, source.Resource));

    /// <summary>Tells a resource the connection string of another: <c>ConnectionStrings__&lt;name&gt;</c>.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="source">What it refers to.</param>
    /// <param name="connectionName">The name in the variable; that of the other resource unless given.</param>
    /// <param name="optional">Whether a connection string that is not configured is left out; otherwise the application does not start.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment =>
        builder.WithVariables(variables =>
        {
            var resource = source.Resource;
            if (optional && string.IsNullOrEmpty(builder.ApplicationBuilder.Configuration.GetConnectionString(resource.Name)))
                return;
            variables[resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{connectionName ?? resource.Name}"] = resource;
        });

    private static void AddAddresses(Dictionary<string, object> variables, IResourceWithServiceDiscovery source)
    {
        var endpoints = source.Annotations.OfType<EndpointAnnotation>().ToList();
        foreach (var scheme in endpoints.GroupBy(e => e.UriScheme))
        {
            foreach (var (index, endpoint) in scheme.Index())
                variables[string.Create(CultureInfo.InvariantCulture, $"services__{source.Name}__{scheme.Key}__{index}")] = new EndpointReference(source, endpoint.Name);
        }
        foreach (var endpoint in endpoints)
        {
            var reference = new EndpointReference(source, endpoint.Name);
            variables[$"services__{source.Name}__{endpoint.Name}__0"] = reference;
            variables[$"{Capitals(source.Name)}_{Capitals(endpoint.Name)}"] = reference;
        }
    }

    private static string Capitals(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static IResourceBuilder<T> WithVariables<T>(this IResourceBuilder<T> builder, Action<Dictionary<string, object>> set)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new EnvironmentCallbackAnnotation(context => set(context.EnvironmentVariables)));
    }
}
