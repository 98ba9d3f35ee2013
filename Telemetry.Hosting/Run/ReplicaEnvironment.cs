using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Telemetry.Hosting.Run;

/// <summary>The environment variables of a replica, as Aspire sets them.</summary>
internal static class ReplicaEnvironment
{
    /// <summary>Says that the process has this host at the other end of its standard input, and stops when that ends.</summary>
    public const string LifelineVariable = "LIFELINE";

    /// <summary>The value of <see cref="LifelineVariable"/>.</summary>
    public const string LifelineStdin = "stdin";

    // These are about the host itself.
    private static readonly string[] NotInherited =
    [
        "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "HTTP_PORTS", "HTTPS_PORTS",
        "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE",
    ];

    /// <summary>Whether a variable of the host is none of a service's business.</summary>
    public static bool IsOfHost(string name) =>
        NotInherited.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith("ASPIRE_", StringComparison.OrdinalIgnoreCase);

    /// <summary>Sets the variables of a replica; the resource's own callbacks win over what the host sets.</summary>
    public static async Task FillAsync(
        PlannedResource resource, PlannedReplica replica, IConfiguration configuration, DistributedApplicationExecutionContext execution, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, object>
        {
            [LifelineVariable] = LifelineStdin,
            ["LOGGING__CONSOLE__FORMATTERNAME"] = "simple",
        };
        AddTelemetry(variables, resource, replica, configuration);
        AddPorts(variables, resource, replica);
        var context = new EnvironmentCallbackContext(execution, variables, cancellationToken);
        foreach (var annotation in resource.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            annotation.Callback(context);
        foreach (var (name, value) in variables)
        {
            var text = replica.Environment[name] = await TextAsync(value, cancellationToken);
            if (value is ParameterResource { Secret: true })
                replica.Secrets.Add(text);
        }
    }

    private static void AddTelemetry(Dictionary<string, object> variables, PlannedResource resource, PlannedReplica replica, IConfiguration configuration)
    {
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not { Length: > 0 } receiver)
            return;
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver;
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] is { Length: > 0 } protocol ? protocol : "grpc";
        if (configuration["OTEL_EXPORTER_OTLP_HEADERS"] is { Length: > 0 } headers)
            variables["OTEL_EXPORTER_OTLP_HEADERS"] = headers;
        variables["OTEL_SERVICE_NAME"] = resource.Name;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={replica.Id}";
    }

    private static void AddPorts(Dictionary<string, object> variables, PlannedResource resource, PlannedReplica replica)
    {
        var urls = new List<string>();
        foreach (var endpoint in resource.Endpoints)
        {
            var port = endpoint.TargetPorts[replica.Index].Port.ToString(CultureInfo.InvariantCulture);
            if (endpoint.Annotation.TargetPortVariable is { } variable)
                variables[variable] = port;
            else if (endpoint.Annotation.UriScheme is "http" or "https")
                urls.Add($"{endpoint.Annotation.UriScheme}://localhost:{port}");
        }
        if (urls.Count > 0)
            variables["ASPNETCORE_URLS"] = string.Join(';', urls);
    }

    private static async ValueTask<string> TextAsync(object value, CancellationToken cancellationToken) => value switch
    {
        IValueProvider provider => await provider.GetValueAsync(cancellationToken) ?? "",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
