using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds values from outside of the application model.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter whose value is the configuration's <c>Parameters:&lt;name&gt;</c>.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // An environment variable cannot have a hyphen in its name in most shells.
        return builder.AddResource(new ParameterResource(name, Value, secret));

        string? Value() => builder.Configuration[$"Parameters:{name}"] ?? builder.Configuration[$"Parameters:{name.Replace('-', '_')}"];
    }

    /// <summary>Adds a parameter with its value.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, string value, bool publishValueAsDefault = false, bool secret = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(value);
        return builder.AddResource(new ParameterResource(name, () => value, secret, publishValueAsDefault));
    }

    /// <summary>Adds a connection string whose value is the configuration's <c>ConnectionStrings:&lt;name&gt;</c>.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name.</param>
    /// <param name="environmentVariableName">The variable that tells it to others; <c>ConnectionStrings__&lt;name&gt;</c> unless given.</param>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddResource(new ConnectionStringResource(name, environmentVariableName, () => builder.Configuration[$"ConnectionStrings:{name}"]));
    }
}
