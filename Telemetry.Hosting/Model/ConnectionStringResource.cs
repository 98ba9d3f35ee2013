namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something that is reached with a connection string.</summary>
public interface IResourceWithConnectionString : IResource
{
    /// <summary>The environment variable that tells others the connection string; <c>ConnectionStrings__&lt;name&gt;</c> where it is null.</summary>
    string? ConnectionStringEnvironmentVariable { get; }

    /// <summary>The connection string; null where there is none.</summary>
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default);
}

/// <summary>A connection string from outside of the application model.</summary>
internal sealed class ConnectionStringResource(string name, string? environmentVariable, Func<string?> value)
    : Resource(name), IResourceWithConnectionString, IValueProvider
{
    public string? ConnectionStringEnvironmentVariable { get; } = environmentVariable;

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(value());

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<string?>(value() ?? throw new DistributedApplicationException(
            $"connection string {Name} has no value: --ConnectionStrings:{Name}=…, or the environment variable ConnectionStrings__{Name}"));
}
