using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds projects.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project. This host reads no launch profiles: endpoints and variables stand in AppHost.cs.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name, _ => { });

    /// <summary>Adds a project.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="launchProfileName">Null: this host reads no launch profiles; endpoints and variables stand in AppHost.cs.</param>
    /// <exception cref="NotSupportedException">A launch profile is asked for.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name, options => options.LaunchProfileName = launchProfileName);

    /// <summary>Adds a project.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="configure">Says what is taken from the project; this host takes nothing.</param>
    /// <exception cref="NotSupportedException">A launch profile is asked for.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, Action<ProjectResourceOptions> configure)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ProjectResourceOptions();
        configure(options);
        if (options is { LaunchProfileName: not null, ExcludeLaunchProfile: false })
            throw new NotSupportedException($"the embedded host reads no launch profiles: pass launchProfileName: null for '{name}' and declare its endpoints");
        return builder.AddResource(new ProjectResource(name)).WithAnnotation(new TProject());
    }

    /// <summary>Runs several processes of a project, each with its own ports.</summary>
    /// <param name="builder">The project.</param>
    /// <param name="replicas">At least 1.</param>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }
}
