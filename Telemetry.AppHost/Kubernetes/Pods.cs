using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>What the pods of all services have in common: one container, no privileges, probes, a folder for temporary files.</summary>
internal static class Pods
{
    /// <summary>The user of Microsoft's images for .NET that do not run as root.</summary>
    private const int AppUser = 1654;

    /// <summary>How long a service may take to finish what it has in hand (25 s), and a little more.</summary>
    private const int GracePeriodSeconds = 35;

    /// <summary>The pod of a service.</summary>
    /// <param name="service">The service as it was published.</param>
    /// <param name="mounts">The volumes that the container sees beside /tmp.</param>
    /// <param name="volumes">The volumes of the pod beside the one of /tmp.</param>
    /// <param name="labels">Labels beside those of every object of the service.</param>
    /// <param name="affinity">Where the pod must run; null: anywhere.</param>
    public static Dictionary<string, object> Template(
        KubernetesResource service, object[] mounts, object[] volumes, Dictionary<string, string>? labels = null, object? affinity = null)
    {
        var name = service.Name;
        var published = service.Workload!.PodTemplate;
        var spec = new Dictionary<string, object>
        {
            ["automountServiceAccountToken"] = false,
            ["enableServiceLinks"] = false,
            ["terminationGracePeriodSeconds"] = GracePeriodSeconds,
            ["securityContext"] = new Dictionary<string, object>
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = AppUser,
                ["runAsGroup"] = AppUser,
                ["fsGroup"] = AppUser,
                ["fsGroupChangePolicy"] = "OnRootMismatch",
                ["seccompProfile"] = new Dictionary<string, object> { ["type"] = "RuntimeDefault" },
            },
        };
        spec.AddWhen(".Values.image.pullSecrets", "imagePullSecrets", TemplateText.ForEach(".Values.image.pullSecrets", new Dictionary<string, object> { ["name"] = "{{ . }}" }));
        spec["containers"] = new object[] { Container(service, published.Spec.Containers[0], mounts) };
        spec["volumes"] = volumes.Prepend(new Dictionary<string, object>
        {
            ["name"] = "tmp",
            ["emptyDir"] = new Dictionary<string, object> { ["sizeLimit"] = "256Mi" },
        }).ToArray();
        if (affinity is not null)
            spec["affinity"] = affinity;
        spec["topologySpreadConstraints"] = new object[]
        {
            // A wish: where a volume keeps pods together, they stay together.
            new Dictionary<string, object>
            {
                ["maxSkew"] = 1,
                ["topologyKey"] = "kubernetes.io/hostname",
                ["whenUnsatisfiable"] = "ScheduleAnyway",
                ["labelSelector"] = Selector(service.Workload),
            },
        };
        spec.AddWhen(".Values.nodeSelector", "nodeSelector", TemplateText.Yaml(".Values.nodeSelector"));
        spec.AddWhen(".Values.tolerations", "tolerations", TemplateText.Yaml(".Values.tolerations"));
        return new Dictionary<string, object>
        {
            ["metadata"] = new Dictionary<string, object>
            {
                ["annotations"] = new Dictionary<string, object>
                {
                    // A changed setting is a changed pod.
                    ["checksum/config"] = $"{{{{ include (print $.Template.BasePath `/{name}/config.yaml`) . | sha256sum }}}}",
                    ["checksum/secrets"] = $"{{{{ include (print $.Template.BasePath `/{name}/secrets.yaml`) . | sha256sum }}}}",
                },
                ["labels"] = published.Metadata.Labels.Concat(labels ?? []).ToDictionary(),
            },
            ["spec"] = spec,
        };
    }

    public static Dictionary<string, object> Mount(string name, string path) => new() { ["name"] = name, ["mountPath"] = path };

    /// <summary>What selects the pods of a workload. A copy each time: YAML has aliases for what stands in a file twice.</summary>
    public static LabelSelectorV1 Selector(Workload workload) => new(workload.Metadata.Labels.ToDictionary());

    /// <summary>The setting that a container takes the port of an endpoint from.</summary>
    public static string PortSetting(string service, string endpoint) => service == "gateway" || endpoint == "grpc" ? "PORT" : "METRICS_PORT";

    private static Dictionary<string, object> Container(KubernetesResource service, ContainerV1 published, object[] mounts)
    {
        var name = service.Name;
        return new Dictionary<string, object>
        {
            ["name"] = published.Name,
            ["image"] = $"{{{{ include `telemetry.image` (list . .Values.parameters.{name}.{name}_image) }}}}",
            ["imagePullPolicy"] = "{{ .Values.image.pullPolicy }}",
            ["envFrom"] = new object[]
            {
                new Dictionary<string, object> { ["configMapRef"] = new Dictionary<string, object> { ["name"] = $"{name}-config" } },
                new Dictionary<string, object> { ["secretRef"] = new Dictionary<string, object> { ["name"] = $"{{{{ .Values.existingSecrets.{name} | default `{name}-secrets` }}}}" } },
            },
            ["ports"] = published.Ports.Select(port => new Dictionary<string, object>
            {
                ["name"] = port.Name,
                ["protocol"] = port.Protocol,
                ["containerPort"] = TemplateText.Number($".Values.config.{name}.{PortSetting(name, port.Name)}"),
            }).ToArray(),
            // Starting may take a while, as after a crash with a large log; the other probes begin after it.
            ["startupProbe"] = Probe(published, published.LivenessProbe!, failures: 60),
            ["livenessProbe"] = Probe(published, published.LivenessProbe!, failures: 6),
            ["readinessProbe"] = Probe(published, published.ReadinessProbe!, failures: 2),
            ["resources"] = TemplateText.Yaml($".Values.resources.{name}"),
            ["securityContext"] = new Dictionary<string, object>
            {
                ["allowPrivilegeEscalation"] = false,
                ["readOnlyRootFilesystem"] = true,
                ["capabilities"] = new Dictionary<string, object> { ["drop"] = new[] { "ALL" } },
            },
            ["volumeMounts"] = mounts.Prepend(Mount("tmp", "/tmp")).ToArray(),
        };
    }

    /// <summary>A probe as it was published, with the scheme in capitals and the port by its name, which stays when the number changes.</summary>
    private static ProbeV1 Probe(ContainerV1 container, ProbeV1 published, int failures) => new()
    {
        HttpGet = new HttpGetActionV1
        {
            Scheme = published.HttpGet!.Scheme.ToUpperInvariant(),
            Path = published.HttpGet.Path,
            Port = container.Ports.First(port => port.ContainerPort == published.HttpGet.Port).Name,
        },
        PeriodSeconds = published.PeriodSeconds,
        TimeoutSeconds = published.TimeoutSeconds,
        FailureThreshold = failures,
        SuccessThreshold = 1,
    };
}
