using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace Telemetry.Hosting.Publish;

/// <summary>Turns a resource into what it becomes in a cluster, before the AppHost's own changes.</summary>
internal static class PublishedResource
{
    /// <summary>What everything that belongs to a resource is labelled with.</summary>
    public static Dictionary<string, string> Labels(IResource resource, KubernetesEnvironmentResource environment) => new()
    {
        ["app.kubernetes.io/name"] = environment.HelmChartName,
        ["app.kubernetes.io/component"] = resource.Name,
        ["app.kubernetes.io/instance"] = HelmExpression.ReleaseName,
    };

    /// <summary>A deployment with one container, its variables, and a service for its endpoints.</summary>
    public static KubernetesResource Of(
        ProjectResource resource, KubernetesEnvironmentResource environment, IReadOnlyDictionary<string, PublishedVariable> variables)
    {
        var published = new KubernetesResource(resource.Name)
        {
            ConfigMap = ConfigMapOf(resource, environment, variables),
            Secret = SecretOf(resource, environment, variables),
            Service = ServiceOf(resource, environment),
        };
        var template = new PodTemplateSpecV1 { Metadata = { Labels = Labels(resource, environment) } };
        template.Spec.Containers.Add(ContainerOf(resource, environment, published));
        published.Workload = new Deployment
        {
            Metadata = { Name = Name(resource, "deployment"), Labels = Labels(resource, environment) },
            Spec =
            {
                Template = template,
                Selector = new LabelSelectorV1(Labels(resource, environment)),
                Replicas = resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1,
                Strategy = new DeploymentStrategyV1 { RollingUpdate = new RollingUpdateDeploymentV1 { MaxSurge = 1, MaxUnavailable = 1 } },
            },
        };
        return published;
    }

    private static string Name(IResource resource, string suffix) => $"{resource.Name.ToLowerInvariant()}-{suffix}";

    private static ContainerV1 ContainerOf(ProjectResource resource, KubernetesEnvironmentResource environment, KubernetesResource published)
    {
        var key = HelmExpression.Key(resource.Name);
        var container = new ContainerV1
        {
            Name = resource.Name,
            Image = HelmExpression.Value("parameters", resource.Name, key + "_image"),
            ImagePullPolicy = environment.DefaultImagePullPolicy,
        };
        if (published.ConfigMap is { } config)
            container.EnvFrom.Add(new EnvFromSourceV1 { ConfigMapRef = new ConfigMapEnvSourceV1 { Name = config.Metadata.Name } });
        if (published.Secret is { } secret)
            container.EnvFrom.Add(new EnvFromSourceV1 { SecretRef = new SecretEnvSourceV1 { Name = secret.Metadata.Name } });
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            container.Ports.Add(new ContainerPortV1 { Name = endpoint.Name, Protocol = "TCP", ContainerPort = PublishedEnvironment.TargetPort(resource, endpoint) });
        foreach (var probe in resource.Annotations.OfType<HttpProbeAnnotation>())
        {
            switch (probe.Type)
            {
                case ProbeType.Startup:
                    container.StartupProbe = ProbeOf(resource, probe);
                    break;
                case ProbeType.Readiness:
                    container.ReadinessProbe = ProbeOf(resource, probe);
                    break;
                default:
                    container.LivenessProbe = ProbeOf(resource, probe);
                    break;
            }
        }
        return container;
    }

    private static ProbeV1 ProbeOf(ProjectResource resource, HttpProbeAnnotation probe)
    {
        var endpoint = probe.Endpoint.EndpointAnnotation;
        return new ProbeV1
        {
            FailureThreshold = probe.FailureThreshold,
            SuccessThreshold = probe.SuccessThreshold,
            InitialDelaySeconds = probe.InitialDelaySeconds,
            PeriodSeconds = probe.PeriodSeconds,
            TimeoutSeconds = probe.TimeoutSeconds,
            // Kubernetes wants the scheme in capitals; Aspire writes the endpoint's, and so does this.
            HttpGet = new HttpGetActionV1 { Scheme = endpoint.UriScheme, Path = probe.Path, Port = PublishedEnvironment.TargetPort(resource, endpoint) },
        };
    }

    private static ConfigMap? ConfigMapOf(IResource resource, KubernetesEnvironmentResource environment, IReadOnlyDictionary<string, PublishedVariable> variables)
    {
        var config = new ConfigMap { Metadata = { Name = Name(resource, "config"), Labels = Labels(resource, environment) } };
        foreach (var (name, variable) in variables.Where(variable => !variable.Value.IsSecret))
            config.Data[name] = variable.Template;
        return config.Data.Count > 0 ? config : null;
    }

    private static Secret? SecretOf(IResource resource, KubernetesEnvironmentResource environment, IReadOnlyDictionary<string, PublishedVariable> variables)
    {
        var secret = new Secret { Metadata = { Name = Name(resource, "secrets"), Labels = Labels(resource, environment) } };
        foreach (var (name, variable) in variables.Where(variable => variable.Value.IsSecret))
            secret.StringData[name] = variable.Template;
        return secret.StringData.Count > 0 ? secret : null;
    }

    private static Service? ServiceOf(ProjectResource resource, KubernetesEnvironmentResource environment)
    {
        var service = new Service
        {
            Metadata = { Name = Name(resource, "service"), Labels = Labels(resource, environment) },
            Spec = { Type = environment.DefaultServiceType, Selector = Labels(resource, environment) },
        };
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var port = PublishedEnvironment.TargetPort(resource, endpoint);
            service.Spec.Ports.Add(new ServicePortV1 { Name = endpoint.Name, Protocol = "TCP", Port = port, TargetPort = port });
        }
        return service.Spec.Ports.Count > 0 ? service : null;
    }
}
