using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Pipelines;
using Telemetry.Hosting.Publish;

namespace Aspire.Hosting;

/// <summary>Publishes an application for Kubernetes.</summary>
public static class KubernetesEnvironmentExtensions
{
    /// <summary>
    /// Adds a cluster that the application is published for. Its chart is written by the pipeline's step
    /// <c>publish-&lt;name&gt;</c>. Where the application is run it is not added.
    /// </summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> AddKubernetesEnvironment(this IDistributedApplicationBuilder builder, string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var environment = new KubernetesEnvironmentResource(name)
        {
            HelmChartName = builder.Environment.ApplicationName.ToLowerInvariant().Replace('_', '-').Replace('.', '-'),
        };
        if (builder.ExecutionContext.IsRunMode)
            return builder.CreateResourceBuilder(environment);
        if (builder.Resources.OfType<KubernetesEnvironmentResource>().Any())
            throw new DistributedApplicationException("the embedded host publishes for one Kubernetes environment only");
        builder.Pipeline.AddStep(
            $"publish-{name}", step => ChartWriter.WriteAsync(step, builder.Resources, builder.ExecutionContext, environment), requiredBy: WellKnownPipelineSteps.Publish);
        return builder.AddResource(environment);
    }

    /// <summary>Sets the chart's properties.</summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> WithProperties(
        this IResourceBuilder<KubernetesEnvironmentResource> builder, Action<KubernetesEnvironmentResource> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        configure(builder.Resource);
        return builder;
    }
}

/// <summary>Changes what resources become in a cluster.</summary>
public static class KubernetesServiceExtensions
{
    /// <summary>Changes what a resource becomes in a cluster, just before it is written. Nothing where the application is run.</summary>
    public static IResourceBuilder<T> PublishAsKubernetesService<T>(this IResourceBuilder<T> builder, Action<KubernetesResource> configure)
        where T : IComputeResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        return builder.ApplicationBuilder.ExecutionContext.IsPublishMode
            ? builder.WithAnnotation(new KubernetesServiceCustomizationAnnotation(configure))
            : builder;
    }
}
