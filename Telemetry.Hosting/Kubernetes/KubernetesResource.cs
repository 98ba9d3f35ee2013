using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes.Resources;

namespace Aspire.Hosting.Kubernetes;

/// <summary>What a resource becomes in a cluster; <see cref="KubernetesServiceExtensions.PublishAsKubernetesService"/> changes it.</summary>
public class KubernetesResource : Resource
{
    internal KubernetesResource(string name)
        : base(name)
    {
    }

    /// <summary>What runs its pods.</summary>
    public Workload? Workload { get; set; }

    /// <summary>The pods' environment variables.</summary>
    public ConfigMap? ConfigMap { get; set; }

    /// <summary>The pods' secret environment variables.</summary>
    public Secret? Secret { get; set; }

    /// <summary>The pods' address.</summary>
    public Service? Service { get; set; }

    /// <summary>Whatever else belongs to it.</summary>
    public List<BaseKubernetesResource> AdditionalResources { get; } = [];

    /// <summary>Everything, in the order in which it is written.</summary>
    internal IEnumerable<BaseKubernetesResource> All =>
        new BaseKubernetesResource?[] { Workload, ConfigMap, Secret, Service }.OfType<BaseKubernetesResource>().Concat(AdditionalResources);
}

/// <summary>Changes what a resource becomes in a cluster.</summary>
internal sealed record KubernetesServiceCustomizationAnnotation(Action<KubernetesResource> Configure) : IResourceAnnotation;
