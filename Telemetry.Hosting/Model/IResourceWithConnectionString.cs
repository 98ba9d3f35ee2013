namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that is reached by a connection string.</summary>
public interface IResourceWithConnectionString : IResource, IValueProvider
{
    /// <summary>The variable that a resource which refers to this one gets; <c>ConnectionStrings__&lt;name&gt;</c> where it is null.</summary>
    string? ConnectionStringEnvironmentVariable => null;

    /// <summary>The connection string.</summary>
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default);
}

/// <summary>A connection string from outside of the application model; it may have a password in it.</summary>
internal sealed class ConnectionStringParameterResource(string name, Func<string?> value, string? variable)
    : ParameterResource(name, value, secret: true, $"ConnectionStrings:{name}"), IResourceWithConnectionString
{
    public string? ConnectionStringEnvironmentVariable => variable;

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => GetValueAsync(cancellationToken);
}
