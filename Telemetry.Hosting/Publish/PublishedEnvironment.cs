using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Hosting.Publish;

/// <summary>An environment variable in a chart.</summary>
/// <param name="Template">What stands in the ConfigMap or Secret.</param>
/// <param name="Default">What stands in <c>values.yaml</c> under the variable's name; null: nothing does.</param>
/// <param name="IsSecret">Whether it belongs into a Secret.</param>
internal sealed record PublishedVariable(string Template, string? Default, bool IsSecret);

/// <summary>
/// The environment variables of a resource in a chart, as Aspire's publisher makes them. That includes what it gets wrong:
/// a parameter's template names the parameter where <c>values.yaml</c> has the variable, and a connection string has no
/// entry in <c>values.yaml</c>. An AppHost mends both, on either host with the same code.
/// </summary>
internal static class PublishedEnvironment
{
    public static async Task<IReadOnlyDictionary<string, PublishedVariable>> OfAsync(
        ProjectResource resource, DistributedApplicationExecutionContext execution, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, object>
        {
            ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory",
            ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true",
        };
        AddPorts(variables, resource);
        var context = new EnvironmentCallbackContext(execution, variables, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            annotation.Callback(context);
        var published = new Dictionary<string, PublishedVariable>();
        foreach (var (name, value) in variables)
            published[name] = await PublishedAsync(resource, name, value, cancellationToken);
        return published;
    }

    /// <summary>The port that a pod listens on.</summary>
    /// <exception cref="DistributedApplicationException">The endpoint has no fixed target port.</exception>
    public static int TargetPort(IResource resource, EndpointAnnotation endpoint) => endpoint.TargetPort
        ?? throw new DistributedApplicationException($"endpoint {endpoint.Name} of {resource.Name} needs a target port to be published");

    private static void AddPorts(Dictionary<string, object> variables, ProjectResource resource)
    {
        var ports = new List<string>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var port = TargetPort(resource, endpoint).ToString(CultureInfo.InvariantCulture);
            if (endpoint.TargetPortVariable is { } variable)
                variables[variable] = port;
            else if (endpoint.UriScheme == "http")
                ports.Add(port);
        }
        if (ports.Count > 0)
            variables["HTTP_PORTS"] = string.Join(';', ports);
    }

    private static async ValueTask<PublishedVariable> PublishedAsync(ProjectResource resource, string name, object value, CancellationToken cancellationToken) => value switch
    {
        EndpointReference endpoint => Config(resource, name, Address(endpoint)),
        IResourceWithConnectionString connection => new(HelmExpression.Value("secrets", resource.Name, connection.Name), null, IsSecret: true),
        ParameterResource { Secret: true } secret => new(HelmExpression.Value("secrets", resource.Name, secret.Name), "", IsSecret: true),
        ParameterResource parameter => new(
            HelmExpression.Value("config", resource.Name, parameter.Name),
            parameter.IsPublishedWithItsValue ? await parameter.GetValueAsync(cancellationToken) : "", IsSecret: false),
        _ => Config(resource, name, Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static PublishedVariable Config(ProjectResource resource, string name, string value) =>
        new(HelmExpression.Value("config", resource.Name, name), value, IsSecret: false);

    private static string Address(EndpointReference endpoint) => string.Create(
        CultureInfo.InvariantCulture,
        $"{endpoint.Scheme}://{endpoint.Resource.Name.ToLowerInvariant()}-service:{TargetPort(endpoint.Resource, endpoint.EndpointAnnotation)}");
}
