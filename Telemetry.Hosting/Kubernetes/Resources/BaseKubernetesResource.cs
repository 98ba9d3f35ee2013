using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Something with a kind and the version of its API.</summary>
public abstract class BaseKubernetesObject(string? apiVersion = null, string? kind = null)
{
    /// <summary>The kind, as <c>Service</c>.</summary>
    [YamlMember(Order = -2)]
    public string? Kind { get; set; } = kind;

    /// <summary>The version of the kind's API, as <c>apps/v1</c>.</summary>
    [YamlMember(Order = -3)]
    public string? ApiVersion { get; set; } = apiVersion;
}

/// <summary>An object of a cluster; further kinds are derived from it.</summary>
public abstract class BaseKubernetesResource(string apiVersion, string kind) : BaseKubernetesObject(apiVersion, kind)
{
    /// <summary>Name, labels and annotations.</summary>
    [YamlMember(Order = -1)]
    public ObjectMetaV1 Metadata { get; set; } = new();
}

/// <summary>Name, labels and annotations of an object.</summary>
public sealed class ObjectMetaV1
{
    /// <summary>The name, unique for its kind in a namespace.</summary>
    public string Name { get; set; } = null!;

    /// <summary>What tools read.</summary>
    public Dictionary<string, string> Annotations { get; } = [];

    /// <summary>What selectors match.</summary>
    public Dictionary<string, string> Labels { get; set; } = [];
}

/// <summary>Selects objects by their labels.</summary>
public sealed class LabelSelectorV1
{
    /// <summary>Selects by nothing.</summary>
    public LabelSelectorV1()
    {
    }

    /// <summary>Selects by labels.</summary>
    public LabelSelectorV1(Dictionary<string, string> matchLabels) => MatchLabels = matchLabels;

    /// <summary>The labels that an object must have.</summary>
    public Dictionary<string, string> MatchLabels { get; set; } = [];
}
