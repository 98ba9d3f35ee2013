using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Serialization;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>
/// An object of any kind, for what Aspire has no type for or whose type cannot carry the chart's expressions (a number
/// from values.yaml, a part that is there only sometimes).
/// </summary>
internal sealed class HelmObject : BaseKubernetesResource
{
    public HelmObject(string apiVersion, string kind, string name)
        : base(apiVersion, kind) =>
        Metadata.Name = name;

    /// <summary>The condition under which the object exists; see <see cref="TemplateText"/>. Null: always.</summary>
    [YamlMember(Order = -4)]
    public string? When { get; init; }

    public Dictionary<string, object> Spec { get; init; } = [];
}

/// <summary>A Deployment or StatefulSet.</summary>
internal sealed class HelmWorkload : Workload
{
    public HelmWorkload(string kind, Workload published, string name)
        : base("apps/v1", kind)
    {
        PodTemplate = published.PodTemplate;
        Metadata.Name = name;
        Metadata.Labels = published.Metadata.Labels;
    }

    public Dictionary<string, object> Spec { get; init; } = [];

    /// <summary>The pod as it was published; <see cref="Spec"/> has what is written.</summary>
    [YamlIgnore]
    public override PodTemplateSpecV1 PodTemplate { get; }
}

/// <summary>Secret environment variables that are there only sometimes.</summary>
internal sealed class HelmSecret : BaseKubernetesResource
{
    public HelmSecret(string name)
        : base("v1", "Secret") =>
        Metadata.Name = name;

    [YamlMember(Order = -4)]
    public string? When { get; init; }

    public Dictionary<string, object> StringData { get; } = [];

    public string Type { get; } = "Opaque";
}
