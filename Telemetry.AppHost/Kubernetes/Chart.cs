using System.Reflection;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>
/// What the services become in a cluster, beyond what Aspire's publisher makes of the model: one method a service, used as
/// <c>.PublishAsKubernetesService(Chart.Broker)</c>. Expressions that a publisher writes must not have double quotes in
/// them, hence the back-quotes.
/// </summary>
internal static class Chart
{
    public const string Name = "telemetry-pipeline";

    /// <summary>The claim that collectors and gateways share.</summary>
    private const string StoreClaim = "collector-store";

    /// <summary>Marks the pods that see the store, so that all of them are put on the node where it is.</summary>
    private static readonly Dictionary<string, string> StoreLabel = new() { ["telemetry-pipeline/store"] = "{{ .Release.Name }}" };

    /// <summary>The chart's version, which is the project's.</summary>
    public static string Version { get; } =
        typeof(Chart).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Adds the cluster, and what is left to do when its chart is written.</summary>
    public static void Add(IDistributedApplicationBuilder builder)
    {
        var environment = builder.AddKubernetesEnvironment("k8s").WithProperties(kubernetes =>
        {
            kubernetes.HelmChartName = Name;
            kubernetes.HelmChartVersion = Version;
            kubernetes.HelmChartDescription = "GPU telemetry: CSV files and exporters to a queue, a store and a REST API";
        });
        if (builder.ExecutionContext.IsRunMode)
            return;
        builder.Pipeline.AddStep(
            "complete-chart",
            step => ChartFiles.CompleteAsync(step.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory(), step.CancellationToken),
            dependsOn: $"publish-{environment.Resource.Name}",
            requiredBy: WellKnownPipelineSteps.Publish);
    }

    /// <summary>A StatefulSet of one: the queue's partitions are in one place.</summary>
    public static void Broker(KubernetesResource broker)
    {
        var published = broker.Workload!;
        var data = new Dictionary<string, object> { ["name"] = "data", ["emptyDir"] = new Dictionary<string, object> { ["sizeLimit"] = "{{ .Values.persistence.broker.size }}" } };
        var spec = new Dictionary<string, object>
        {
            ["serviceName"] = "broker-headless",
            ["replicas"] = 1,
            ["selector"] = Pods.Selector(published),
            ["updateStrategy"] = new Dictionary<string, object> { ["type"] = "RollingUpdate" },
            ["template"] = Pods.Template(
                broker,
                mounts: [Pods.Mount("data", "/data")],
                volumes: ["{{ if not .Values.persistence.broker.enabled }}", data, "{{ end }}"]),
        };
        spec.AddWhen(".Values.persistence.broker.enabled", "volumeClaimTemplates", new object[]
        {
            new Dictionary<string, object>
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["metadata"] = new Dictionary<string, object> { ["name"] = "data" },
                ["spec"] = ClaimSpec("broker"),
            },
        });
        broker.Workload = new HelmWorkload("StatefulSet", published, "broker-statefulset") { Spec = spec };
        Common(broker);
        broker.AdditionalResources.Add(new HelmObject("v1", "Service", "broker-headless")
        {
            Spec =
            {
                ["clusterIP"] = "None",
                ["publishNotReadyAddresses"] = true,
                ["selector"] = broker.Service!.Spec.Selector,
                ["ports"] = broker.Service.Spec.Ports,
            },
        });
        broker.AdditionalResources.Add(Network.Policy(broker, clients: ["streamer", "collector", "gateway"], endpoint: "grpc", servers: []));
    }

    /// <summary>Streamers divide their input among themselves.</summary>
    public static void Streamer(KubernetesResource streamer)
    {
        var input = new Dictionary<string, object> { ["name"] = "input" };
        input.AddWhen(".Values.streamer.input.existingClaim", "persistentVolumeClaim", new Dictionary<string, object>
        {
            ["claimName"] = "{{ .Values.streamer.input.existingClaim }}",
            ["readOnly"] = true,
        });
        input.AddWhen("not .Values.streamer.input.existingClaim", "emptyDir", new Dictionary<string, object> { ["sizeLimit"] = "1Mi" });
        Scale(streamer, Pods.Template(streamer, mounts: [new Dictionary<string, object>(Pods.Mount("input", "/input")) { ["readOnly"] = true }], volumes: [input]));
        Common(streamer);
        streamer.AdditionalResources.Add(Network.Policy(streamer, clients: [], endpoint: null, servers: ["broker"]));
    }

    /// <summary>Collectors divide the partitions among themselves and write one store.</summary>
    public static void Collector(KubernetesResource collector)
    {
        Scale(collector, StorePods(collector));
        Common(collector);
        var claim = new HelmObject("v1", "PersistentVolumeClaim", StoreClaim)
        {
            When = "{{ if and .Values.persistence.store.enabled (not .Values.persistence.store.existingClaim) }}",
            Spec = ClaimSpec("store"),
        };
        // What was collected outlives the release.
        claim.Metadata.Annotations["helm.sh/resource-policy"] = "keep";
        collector.AdditionalResources.Add(claim);
        collector.AdditionalResources.Add(Network.Policy(collector, clients: [], endpoint: null, servers: ["broker"]));
    }

    /// <summary>Gateways read the store, and are all that the outside sees.</summary>
    public static void Gateway(KubernetesResource gateway)
    {
        Scale(gateway, StorePods(gateway));
        Common(gateway);
        gateway.AdditionalResources.Add(Outside.Service(gateway));
        gateway.AdditionalResources.Add(Outside.Ingress());
        gateway.Service = null;
        gateway.AdditionalResources.Add(Network.Policy(gateway, clients: [], endpoint: "http", servers: ["broker"]));
    }

    /// <summary>
    /// Pods with the store's volume. SQLite needs a local disk, so there is one ReadWriteOnce volume, and all pods that use
    /// it must be on one node. The first of them may be put anywhere, because it matches its own condition.
    /// </summary>
    private static Dictionary<string, object> StorePods(KubernetesResource service)
    {
        var store = new Dictionary<string, object>
        {
            ["name"] = "store",
            ["persistentVolumeClaim"] = new Dictionary<string, object> { ["claimName"] = $"{{{{ include `telemetry.storeClaim` (list . `{StoreClaim}`) }}}}" },
        };
        var together = new Dictionary<string, object>
        {
            ["podAffinity"] = new Dictionary<string, object>
            {
                ["requiredDuringSchedulingIgnoredDuringExecution"] = new object[]
                {
                    new Dictionary<string, object> { ["labelSelector"] = new LabelSelectorV1(StoreLabel.ToDictionary()), ["topologyKey"] = "kubernetes.io/hostname" },
                },
            },
        };
        return Pods.Template(service, mounts: [Pods.Mount("store", "/data")], volumes: [store], labels: StoreLabel, affinity: together);
    }

    private static Dictionary<string, object> ClaimSpec(string volume)
    {
        var spec = new Dictionary<string, object>
        {
            ["accessModes"] = new[] { $"{{{{ .Values.persistence.{volume}.accessMode }}}}" },
            ["resources"] = new Dictionary<string, object> { ["requests"] = new Dictionary<string, object> { ["storage"] = $"{{{{ .Values.persistence.{volume}.size }}}}" } },
        };
        spec.AddWhen($".Values.persistence.{volume}.storageClass", "storageClassName", $"{{{{ .Values.persistence.{volume}.storageClass }}}}");
        return spec;
    }

    /// <summary>A Deployment, with an autoscaler or with the replicas of values.yaml, never with both.</summary>
    private static void Scale(KubernetesResource service, Dictionary<string, object> template)
    {
        var name = service.Name;
        var published = service.Workload!;
        var spec = new Dictionary<string, object>();
        spec.AddWhen($"not .Values.autoscaling.{name}.enabled", "replicas", TemplateText.Number($".Values.replicas.{name}"));
        spec["revisionHistoryLimit"] = 3;
        spec["selector"] = Pods.Selector(published);
        // A new pod is ready before an old one ends, also where there is only one.
        spec["strategy"] = new Dictionary<string, object>
        {
            ["type"] = "RollingUpdate",
            ["rollingUpdate"] = new Dictionary<string, object> { ["maxSurge"] = 1, ["maxUnavailable"] = 0 },
        };
        spec["template"] = template;
        service.Workload = new HelmWorkload("Deployment", published, $"{name}-deployment") { Spec = spec };
        service.AdditionalResources.Add(new HelmObject("autoscaling/v2", "HorizontalPodAutoscaler", $"{name}-hpa")
        {
            When = $"{{{{ if .Values.autoscaling.{name}.enabled }}}}",
            Spec =
            {
                ["scaleTargetRef"] = new Dictionary<string, object> { ["apiVersion"] = "apps/v1", ["kind"] = "Deployment", ["name"] = $"{name}-deployment" },
                ["minReplicas"] = TemplateText.Number($".Values.autoscaling.{name}.minReplicas"),
                ["maxReplicas"] = TemplateText.Number($".Values.autoscaling.{name}.maxReplicas"),
                ["metrics"] = new object[] { Utilization(name, "cpu"), Utilization(name, "memory") },
            },
        });
    }

    private static Dictionary<string, object> Utilization(string service, string resource) => new()
    {
        ["type"] = "Resource",
        ["resource"] = new Dictionary<string, object>
        {
            ["name"] = resource,
            ["target"] = new Dictionary<string, object>
            {
                ["type"] = "Utilization",
                ["averageUtilization"] = TemplateText.Number($".Values.autoscaling.{service}.{resource}"),
            },
        },
    };

    /// <summary>Settings, secrets, ports by name, and a limit to how many pods are taken down on purpose.</summary>
    private static void Common(KubernetesResource service)
    {
        var name = service.Name;
        var config = service.ConfigMap!;
        foreach (var setting in ServiceSettings.Of(name).Select(setting => setting.Name).Concat(config.Data.Keys).Distinct().ToList())
            config.Data[setting] = $"{{{{ include `telemetry.setting` .Values.config.{name}.{setting} }}}}";

        service.Secret = null;
        var secrets = new HelmSecret($"{name}-secrets") { When = $"{{{{ if not .Values.existingSecrets.{name} }}}}" };
        secrets.StringData[$"{{{{ range $name, $value := .Values.secrets.{name} }}}} names"] = "";
        secrets.StringData["{{ $name }}"] = "{{ include `telemetry.setting` $value }}";
        secrets.StringData["{{ end }} names"] = "";
        service.AdditionalResources.Add(secrets);

        foreach (var port in service.Service!.Spec.Ports)
            port.TargetPort = new Int32OrStringV1(port.Name);

        service.AdditionalResources.Add(new HelmObject("policy/v1", "PodDisruptionBudget", $"{name}-pdb")
        {
            When = "{{ if .Values.podDisruptionBudget.enabled }}",
            // Not minAvailable: a single pod must not keep a node from being drained.
            Spec = { ["maxUnavailable"] = 1, ["selector"] = Pods.Selector(service.Workload!) },
        });
    }
}
