using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Something that keeps pods running.</summary>
public abstract class Workload(string apiVersion, string kind) : BaseKubernetesResource(apiVersion, kind)
{
    /// <summary>What its pods look like.</summary>
    [YamlIgnore]
    public abstract PodTemplateSpecV1 PodTemplate { get; }
}

/// <summary>Keeps a number of equal pods running.</summary>
public sealed class Deployment() : Workload("apps/v1", "Deployment")
{
    /// <summary>What is wanted.</summary>
    public DeploymentSpecV1 Spec { get; set; } = new();

    /// <inheritdoc/>
    [YamlIgnore]
    public override PodTemplateSpecV1 PodTemplate => Spec.Template;
}

/// <summary>What a deployment keeps running.</summary>
public sealed class DeploymentSpecV1
{
    /// <summary>What its pods look like.</summary>
    public PodTemplateSpecV1 Template { get; set; } = new();

    /// <summary>Which pods are its own.</summary>
    public LabelSelectorV1 Selector { get; set; } = new();

    /// <summary>How many pods; null leaves it to an autoscaler.</summary>
    public int? Replicas { get; set; } = 1;

    /// <summary>How many earlier versions can be gone back to.</summary>
    public int? RevisionHistoryLimit { get; set; } = 3;

    /// <summary>How pods are replaced.</summary>
    public DeploymentStrategyV1 Strategy { get; set; } = new();
}

/// <summary>How the pods of a deployment are replaced.</summary>
public sealed class DeploymentStrategyV1
{
    /// <summary>How many at a time.</summary>
    public RollingUpdateDeploymentV1 RollingUpdate { get; set; } = new();

    /// <summary><c>RollingUpdate</c> or <c>Recreate</c>.</summary>
    public string Type { get; set; } = "RollingUpdate";
}

/// <summary>How many pods are replaced at a time.</summary>
public sealed class RollingUpdateDeploymentV1
{
    /// <summary>How many more than wanted.</summary>
    public int MaxSurge { get; set; }

    /// <summary>How many fewer than wanted.</summary>
    public int MaxUnavailable { get; set; }
}

/// <summary>What a pod looks like.</summary>
public sealed class PodTemplateSpecV1
{
    /// <summary>Labels and annotations.</summary>
    public ObjectMetaV1 Metadata { get; set; } = new();

    /// <summary>What runs in it.</summary>
    public PodSpecV1 Spec { get; set; } = new();
}

/// <summary>What runs in a pod.</summary>
public sealed class PodSpecV1
{
    /// <summary>The containers.</summary>
    public List<ContainerV1> Containers { get; } = [];
}
