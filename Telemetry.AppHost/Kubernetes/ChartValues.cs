namespace Telemetry.AppHost.Kubernetes;

/// <summary>values.yaml, the operator's interface: every key with what turning it does.</summary>
internal static class ChartValues
{
    private static readonly object[] None = [];

    /// <summary>The values of a publisher in their place among all others.</summary>
    public static string Complete(string published)
    {
        var values = new HelmValues();
        AddImages(values);
        AddScale(values);
        AddPersistence(values);
        AddNetwork(values);
        AddScheduling(values);
        AddSettings(values);
        values.Take(published);
        foreach (var service in ServiceSettings.Services)
        {
            // The publisher's own default has a tag of its own, which would win over image.tag.
            AddImage(values, service);
            values.Rest($"config.{service}", "Service discovery: an address of the broker. MESSAGEQUEUE_ADDR wins over it.");
        }
        return values.ToYaml();
    }

    private static void AddImages(HelmValues values)
    {
        values.Section("image", "Where images come from, the same for all services.")
            .Set("image.registry", "", "The registry, and a path in it if there is one, as registry.example.com/telemetry; none: what the nodes know, or Docker Hub.")
            .Set("image.tag", "", "The tag; none: the chart's appVersion.")
            .Set("image.pullPolicy", "IfNotPresent", "Always, IfNotPresent or Never.")
            .Set("image.pullSecrets", None, "Names of Secrets with the registry's credentials.")
            .Section("parameters", "The repository of each service's image; one with a tag or digest of its own (name:tag, name@sha256:…) is used as it is.");
        foreach (var service in ServiceSettings.Services)
            AddImage(values, service);
    }

    private static void AddImage(HelmValues values, string service) => values.Set($"parameters.{service}.{service}_image", $"telemetry-{service}");

    private static void AddScale(HelmValues values)
    {
        values.Section("replicas", "How many pods, where autoscaling is off. The broker is always one.");
        foreach (var service in ServiceSettings.Services.Skip(1))
            values.Set($"replicas.{service}", 1);
        values.Section("autoscaling", "How many pods, by their use of what they request. Needs the metrics server.");
        foreach (var (service, max) in new[] { ("streamer", 10), ("collector", 10), ("gateway", 5) })
        {
            values.Set($"autoscaling.{service}.enabled", true, "false: replicas above.")
                .Set($"autoscaling.{service}.minReplicas", 1, "Pods when there is little to do.")
                .Set($"autoscaling.{service}.maxReplicas", max, service == "collector" ? "More than the topic has partitions (MAX_PARTITIONS) have nothing to do." : "Pods at the most.")
                .Set($"autoscaling.{service}.cpu", 70, "Percent of the requested CPU.")
                .Set($"autoscaling.{service}.memory", 80, "Percent of the requested memory.");
        }
        values.Section("resources", "What each pod requests and may use at most; the autoscaler's percentages are of the requests.");
        foreach (var (service, cpu, memory, cpuMax, memoryMax) in new[]
        {
            ("broker", "250m", "512Mi", "2", "1Gi"),
            ("streamer", "100m", "256Mi", "1", "512Mi"),
            ("collector", "250m", "512Mi", "2", "1Gi"),
            ("gateway", "100m", "256Mi", "1", "512Mi"),
        })
        {
            values.Set($"resources.{service}.requests.cpu", cpu)
                .Set($"resources.{service}.requests.memory", memory)
                .Set($"resources.{service}.limits.cpu", cpuMax)
                .Set($"resources.{service}.limits.memory", memoryMax);
        }
    }

    private static void AddPersistence(HelmValues values) =>
        values.Section("persistence", "Volumes.")
            .Section("persistence.broker", "The broker's volume at /data. Cannot be changed once installed, but for enabled on a new release.")
            .Set("persistence.broker.enabled", true, "false: an emptyDir, which ends with the pod.")
            .Set("persistence.broker.size", "50Gi", "How much it holds.")
            .Set("persistence.broker.storageClass", "", "none: the cluster's default.")
            .Set("persistence.broker.accessMode", "ReadWriteOnce", "ReadWriteOnce, or ReadWriteOncePod for the one pod of the broker.")
            .Section("persistence.store", "The store's volume at /data of collectors and gateways, which all run on the one node where it is: SQLite must not be on a network file system.")
            .Set("persistence.store.enabled", true, "false: no claim is made, and existingClaim must name one; pods cannot share a volume otherwise.")
            .Set("persistence.store.existingClaim", "", "A claim that exists already, instead of one of this chart.")
            .Set("persistence.store.size", "50Gi", "How much it holds.")
            .Set("persistence.store.storageClass", "", "none: the cluster's default.")
            .Set("persistence.store.accessMode", "ReadWriteOnce", "ReadWriteOnce: one node, several pods.")
            .Section("streamer", "What streamers read beyond the sample that is in their image.")
            .Set("streamer.input.existingClaim", "", "A claim with CSV files, mounted read-only at /input: set config.streamer.CSV_FILE to a path in there. ReadOnlyMany or ReadWriteMany where streamers run on several nodes.");

    private static void AddNetwork(HelmValues values) =>
        values.Section("service", "How the gateway is reached.")
            .Set("service.gateway.type", "ClusterIP", "ClusterIP (from inside, or with an ingress), NodePort or LoadBalancer.")
            .Set("service.gateway.port", 8080, "The service's port.")
            .Set("service.gateway.nodePort", 0, "The nodes' port for NodePort and LoadBalancer; 0: any.")
            .Set("service.gateway.annotations", new Dictionary<string, object>(), "As load balancers of clouds want them.")
            .Set("service.gateway.loadBalancerSourceRanges", None, "Networks that may connect to the load balancer; none: all.")
            .Section("ingress", "HTTP from outside through an ingress controller.")
            .Set("ingress.enabled", false, "true: the hosts below lead to the gateway.")
            .Set("ingress.className", "", "The controller's class, as nginx; none: the cluster's default.")
            .Set("ingress.annotations", new Dictionary<string, object>(), "As ingress controllers and certificate managers want them.")
            .Set("ingress.hosts", new object[] { "telemetry.example.com" }, "The names under which the API is reached.")
            .Set("ingress.tls", None, "Certificates, each as { secretName: telemetry-tls, hosts: [telemetry.example.com] }.")
            .Section("networkPolicy", "Who may connect to whom. Needs a network plug-in that enforces it.")
            .Set("networkPolicy.enabled", true, "false: everybody may connect to everything. Names are resolved on port 53 of whoever does that.")
            .Section("networkPolicy.monitoring", "Who may read /metrics.")
            .Set("networkPolicy.monitoring.namespaceLabels", new Dictionary<string, object> { ["kubernetes.io/metadata.name"] = "monitoring" }, "The labels of its namespace.")
            .Section("networkPolicy.otlp", "The receiver of services for which OTEL_EXPORTER_OTLP_ENDPOINT is set.")
            .Set("networkPolicy.otlp.ports", new object[] { 4317, 4318 }, "Its ports.")
            .Set("networkPolicy.otlp.to", None, "NetworkPolicy peers; none: anywhere on those ports.")
            .Set("networkPolicy.extraEgress", None, "Further connections of all services, each as { to: [peers], ports: [ports] }.");

    private static void AddScheduling(HelmValues values) =>
        values.Set("podDisruptionBudget.enabled", true, "Takes down one pod of a service at a time when nodes are drained.")
            .Set("nodeSelector", new Dictionary<string, object>(), "Labels of the nodes that pods may run on.")
            .Set("tolerations", None, "Taints of nodes that pods do not mind.");

    private static void AddSettings(HelmValues values)
    {
        values.Section("secrets", "Secret environment variables of each service, kept in a Secret: whatever stands here is set.")
            .Section("existingSecrets", "A Secret of yours for each service, instead of one with the values above.")
            .Section("config", "The settings of each service: environment variables, kept in a ConfigMap.");
        foreach (var service in ServiceSettings.Services)
        {
            values.Set($"secrets.{service}.OTEL_EXPORTER_OTLP_HEADERS", "", "Credentials for the receiver of traces, as api-key=….")
                .Set($"existingSecrets.{service}", "");
            foreach (var setting in ServiceSettings.Of(service))
                values.Set($"config.{service}.{setting.Name}", setting.Default, CommentOf(setting));
        }
    }

    /// <summary>What a setting does, and what is different about it in a cluster.</summary>
    private static string CommentOf(ServiceSetting setting) => setting.Name switch
    {
        "PORT" or "METRICS_PORT" => setting.Comment.Replace("; 0 = any free port.", "; the pod's port, its probes and its service follow. Not 0 here.", StringComparison.Ordinal),
        "DATA_PATH" => setting.Comment + " /data is the broker's volume.",
        "LISTEN_ADDRESS" => setting.Comment + " A pod needs 'any'.",
        _ => setting.Comment,
    };
}
