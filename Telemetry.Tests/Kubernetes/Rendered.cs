using k8s;
using k8s.Models;
using YamlDotNet.Core;

namespace Telemetry.Tests.Kubernetes;

/// <summary>What Helm wrote, read strictly: a field that Kubernetes does not know, or a kind that is not here, is refused.</summary>
internal sealed class Rendered
{
    private static readonly Dictionary<string, Type> Kinds = new()
    {
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Secret"] = typeof(V1Secret),
        ["v1/Service"] = typeof(V1Service),
        ["v1/PersistentVolumeClaim"] = typeof(V1PersistentVolumeClaim),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["apps/v1/StatefulSet"] = typeof(V1StatefulSet),
        ["autoscaling/v2/HorizontalPodAutoscaler"] = typeof(V2HorizontalPodAutoscaler),
        ["networking.k8s.io/v1/Ingress"] = typeof(V1Ingress),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
    };

    private Rendered(string text, IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects)
    {
        Text = text;
        Objects = objects;
    }

    public string Text { get; }

    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects { get; }

    /// <summary>Deployments and StatefulSets.</summary>
    public IEnumerable<Workload> Workloads =>
        All<V1Deployment>().Select(d => new Workload("Deployment", d.Name(), d.Spec.Replicas, d.Spec.Selector, d.Spec.Template, []))
            .Concat(All<V1StatefulSet>().Select(s =>
                new Workload("StatefulSet", s.Name(), s.Spec.Replicas, s.Spec.Selector, s.Spec.Template, s.Spec.VolumeClaimTemplates ?? [])));

    /// <exception cref="YamlException">The text is not YAML, or not what Kubernetes knows.</exception>
    public static Rendered Parse(string text) =>
        new(text, [.. KubernetesYaml.LoadAllFromString(text, Kinds, strict: true).Cast<IKubernetesObject<V1ObjectMeta>>()]);

    public IEnumerable<T> All<T>() => Objects.OfType<T>();

    public T One<T>(string name)
        where T : IKubernetesObject<V1ObjectMeta> =>
        Assert.Single(All<T>(), found => found.Name() == name);

    /// <summary>The workload of a service.</summary>
    public Workload Of(string service) => Assert.Single(Workloads, workload => workload.Service == service);
}

/// <summary>What makes pods.</summary>
internal sealed record Workload(
    string Kind, string Name, int? Replicas, V1LabelSelector Selector, V1PodTemplateSpec Template, IList<V1PersistentVolumeClaim> ClaimTemplates)
{
    public const string ComponentLabel = "app.kubernetes.io/component";

    /// <summary>The service's name in the model.</summary>
    public string Service => Labels[ComponentLabel];

    public IDictionary<string, string> Labels => Template.Metadata.Labels;

    public V1PodSpec Pod => Template.Spec;

    public V1Container Container => Assert.Single(Pod.Containers);

    /// <summary>The number of a port that is named or numbered; null where there is no such port.</summary>
    public int? Port(IntOrString port) => Container.Ports.SingleOrDefault(p => p.Name == port.Value || $"{p.ContainerPort}" == port.Value)?.ContainerPort;

    public override string ToString() => $"{Kind} {Name}";
}

internal static class Selectors
{
    /// <summary>Whether a selector, of labels only, chooses something with these labels.</summary>
    public static bool Matches(this V1LabelSelector selector, IDictionary<string, string> labels)
    {
        Assert.Null(selector.MatchExpressions);
        return (selector.MatchLabels ?? new Dictionary<string, string>()).IsPartOf(labels);
    }

    public static bool IsPartOf(this IDictionary<string, string> selector, IDictionary<string, string> labels) =>
        selector.All(wanted => labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value);
}
