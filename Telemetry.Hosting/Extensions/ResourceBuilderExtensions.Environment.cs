using System.Globalization;
using Aspire.Hosting.ApplicationModel;

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
        builder.WithContext(context => AddAddresses(context, source.Resource));

    /// <summary>Tells a resource a connection string, as <c>ConnectionStrings__&lt;name&gt;</c> unless the string has a variable of its own.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="source">The connection string.</param>
    /// <param name="connectionName">The name that the resource knows it by; its own unless given.</param>
    /// <param name="optional">Whether the resource can do without.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment =>
        builder.WithContext(context =>
        {
            var resource = source.Resource;
            var isMissing = context.ExecutionContext.IsRunMode && resource.GetConnectionStringAsync().AsTask() is { IsCompletedSuccessfully: true, Result: null };
            if (!optional || !isMissing)
                context.EnvironmentVariables[resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{connectionName ?? resource.Name}"] = resource;
        });

    private static void AddAddresses(EnvironmentCallbackContext context, IResourceWithServiceDiscovery source)
    {
        var variables = context.EnvironmentVariables;
        var counts = new Dictionary<string, int>();
        var endpoints = source.Annotations.OfType<EndpointAnnotation>().ToList();
        foreach (var endpoint in endpoints)
        {
            var reference = new EndpointReference(source, endpoint.Name);
            var index = counts.GetValueOrDefault(endpoint.UriScheme);
            counts[endpoint.UriScheme] = index + 1;
            variables[$"{Capitals(source.Name)}_{Capitals(endpoint.Name)}"] = reference;
            variables[string.Create(CultureInfo.InvariantCulture, $"services__{source.Name}__{endpoint.UriScheme}__{index}")] = reference;
        }
        // A chart has the keys of the Aspire version that writes it: 13.2.
        if (context.ExecutionContext.IsPublishMode)
            return;
        foreach (var endpoint in endpoints)
            variables[$"services__{source.Name}__{endpoint.Name}__0"] = new EndpointReference(source, endpoint.Name);
    }

    private static string Capitals(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static IResourceBuilder<T> WithVariables<T>(this IResourceBuilder<T> builder, Action<Dictionary<string, object>> set)
        where T : IResourceWithEnvironment =>
        builder.WithContext(context => set(context.EnvironmentVariables));

    private static IResourceBuilder<T> WithContext<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> set)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new EnvironmentCallbackAnnotation(set));
    }
}
