using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Finds resources that were added.</summary>
public static class DistributedApplicationBuilderExtensions
{
    /// <summary>A builder for a resource that was added before, by its name.</summary>
    /// <exception cref="InvalidOperationException">There is no resource of that name and type.</exception>
    public static IResourceBuilder<T> CreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Resources.OfType<T>().FirstOrDefault(resource => string.Equals(resource.Name, name, StringComparison.OrdinalIgnoreCase)) is { } found
            ? builder.CreateResourceBuilder(found)
            : throw new InvalidOperationException($"there is no {typeof(T).Name} '{name}'");
    }
}
