using k8s.Models;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Kubernetes;

/// <summary>What the objects of the chart say about each other is true, with every override file.</summary>
[Collection(PublishedChart.Collection)]
public sealed class ObjectsTests(PublishedChart chart)
{
    public static TheoryData<string> EachOverride => Overrides.Names;

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Selectors_choose_the_pods_of_one_service(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var workload in rendered.Workloads)
            AssertChooses(rendered, workload.Selector, workload.Service);
        foreach (var service in rendered.All<V1Service>())
            AssertChooses(rendered, new V1LabelSelector { MatchLabels = service.Spec.Selector }, service.Name().Split('-')[0]);
        foreach (var budget in rendered.All<V1PodDisruptionBudget>())
        {
            AssertChooses(rendered, budget.Spec.Selector, budget.Name().Split('-')[0]);
            Assert.Equal("1", budget.Spec.MaxUnavailable.Value);
        }
        foreach (var policy in rendered.All<V1NetworkPolicy>())
            AssertChooses(rendered, policy.Spec.PodSelector, policy.Name().Split('-')[0]);
        foreach (var workload in rendered.Workloads)
            AssertChooses(rendered, Assert.Single(workload.Pod.TopologySpreadConstraints).LabelSelector, workload.Service);
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Everything_has_the_labels_of_the_chart_and_its_release(string overrides)
    {
        foreach (var o in (await chart.RenderAsync(overrides)).Objects)
        {
            Assert.Equal("telemetry-pipeline", o.Metadata.Labels["app.kubernetes.io/name"]);
            Assert.Equal(PublishedChart.Release, o.Metadata.Labels["app.kubernetes.io/instance"]);
            Assert.StartsWith(o.Metadata.Labels[Workload.ComponentLabel] + "-", o.Metadata.Name, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task A_service_and_an_ingress_lead_to_ports_that_exist(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var service in rendered.All<V1Service>())
        {
            var workload = rendered.Workloads.Single(workload => service.Spec.Selector.IsPartOf(workload.Labels));
            Assert.NotEmpty(service.Spec.Ports);
            Assert.All(service.Spec.Ports, port => Assert.NotNull(workload.Port(port.TargetPort)));
            Assert.Distinct(service.Spec.Ports.Select(port => port.Name));
        }
        foreach (var backend in rendered.All<V1Ingress>().SelectMany(i => i.Spec.Rules).SelectMany(rule => rule.Http.Paths).Select(path => path.Backend.Service))
            Assert.Contains(rendered.One<V1Service>(backend.Name).Spec.Ports, port => port.Name == backend.Port.Name);
        foreach (var workload in rendered.All<V1StatefulSet>())
            Assert.Equal("None", rendered.One<V1Service>(workload.Spec.ServiceName).Spec.ClusterIP);
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task A_container_listens_where_its_ports_say(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var workload in rendered.Workloads)
        {
            var settings = rendered.One<V1ConfigMap>($"{workload.Service}-config").Data;
            var listens = new[] { "PORT", "METRICS_PORT" }.Where(settings.ContainsKey).Select(name => settings[name]).Order();
            Assert.Equal(listens, workload.Container.Ports.Select(port => $"{port.ContainerPort}").Order());
            Assert.Equal("any", settings["LISTEN_ADDRESS"]);
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Probes_ask_the_routes_that_a_service_has(string overrides)
    {
        foreach (var workload in (await chart.RenderAsync(overrides)).Workloads)
        {
            var container = workload.Container;
            Assert.Equal(ServiceHost.AlivePath, container.StartupProbe.HttpGet.Path);
            Assert.Equal(ServiceHost.AlivePath, container.LivenessProbe.HttpGet.Path);
            Assert.Equal(ServiceHost.HealthPath, container.ReadinessProbe.HttpGet.Path);
            foreach (var probe in new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe })
            {
                Assert.Equal("HTTP", probe.HttpGet.Scheme);
                // Health is not on the port of gRPC.
                Assert.Equal("http", probe.HttpGet.Port.Value);
                Assert.NotNull(workload.Port(probe.HttpGet.Port));
                Assert.True(probe.PeriodSeconds > 0 && probe.FailureThreshold > 0);
            }
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Addresses_in_settings_are_those_of_services(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var addresses = rendered.All<V1ConfigMap>().SelectMany(config => config.Data)
            .Where(setting => setting.Key is "MESSAGEQUEUE_ADDR" || setting.Key.StartsWith("BROKER_", StringComparison.Ordinal) || setting.Key.StartsWith("services__", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(addresses);
        foreach (var (name, value) in addresses)
        {
            var address = new Uri(value);
            var port = Assert.Single(rendered.One<V1Service>(address.Host).Spec.Ports, port => port.Port == address.Port);
            if (name is "MESSAGEQUEUE_ADDR" or "BROKER_GRPC")
                Assert.Equal(("broker-service", "grpc"), (address.Host, port.Name));
        }
        Assert.Equal(3, addresses.Count(address => address.Key == "MESSAGEQUEUE_ADDR"));
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Pods_take_their_settings_from_objects_that_exist(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var workload in rendered.Workloads)
        {
            Assert.Equal(2, workload.Container.EnvFrom.Count);
            Assert.Equal($"{workload.Service}-config", rendered.One<V1ConfigMap>(workload.Container.EnvFrom[0].ConfigMapRef.Name).Name());
            var secret = workload.Container.EnvFrom[1].SecretRef.Name;
            if (secret != "ours")
                Assert.Equal($"{workload.Service}-secrets", rendered.One<V1Secret>(secret).Name());
        }
        Assert.Equal(overrides == "existing objects" ? 0 : 4, rendered.All<V1Secret>().Count());
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task An_autoscaler_has_a_target_that_leaves_the_number_of_pods_to_it(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var scalers = rendered.All<V2HorizontalPodAutoscaler>().ToDictionary(scaler => scaler.Spec.ScaleTargetRef.Name);
        Assert.Equal(overrides == "fixed replicas" ? 0 : 3, scalers.Count);
        foreach (var workload in rendered.Workloads)
        {
            if (scalers.Remove(workload.Name, out var scaler))
            {
                Assert.Null(workload.Replicas);
                Assert.Equal(("apps/v1", workload.Kind), (scaler.Spec.ScaleTargetRef.ApiVersion, scaler.Spec.ScaleTargetRef.Kind));
                Assert.Equal((1, workload.Service == "gateway" ? 5 : 10), (scaler.Spec.MinReplicas, scaler.Spec.MaxReplicas));
                Assert.Equal([("cpu", 70), ("memory", 80)], scaler.Spec.Metrics.Select(metric => (metric.Resource.Name, metric.Resource.Target.AverageUtilization)));
                // A utilisation is a percentage of what is requested.
                Assert.All(scaler.Spec.Metrics, metric => Assert.Contains(metric.Resource.Name, workload.Container.Resources.Requests));
            }
            else
            {
                Assert.Equal(workload.Service switch { "streamer" => 3, "collector" => 2, "gateway" => 0, _ => 1 }, workload.Replicas);
            }
        }
        Assert.Empty(scalers);
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Every_mount_has_its_volume_and_every_volume_its_claim(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var claims = rendered.All<V1PersistentVolumeClaim>().ToDictionary(claim => claim.Name());
        foreach (var workload in rendered.Workloads)
        {
            var volumes = (workload.Pod.Volumes ?? []).Select(volume => volume.Name).Concat(workload.ClaimTemplates.Select(claim => claim.Name())).ToList();
            Assert.Equal(volumes.Order(), workload.Container.VolumeMounts.Select(mount => mount.Name).Order());
            Assert.Distinct(workload.Container.VolumeMounts.Select(mount => mount.MountPath));
            foreach (var claim in workload.Pod.Volumes!.Select(volume => volume.PersistentVolumeClaim?.ClaimName).OfType<string>())
                Assert.True(claims.ContainsKey(claim) || (overrides == "existing objects" && claim is "fast-disk" or "csv-files"), claim);
        }
        var made = claims.Values.Concat(rendered.Workloads.SelectMany(workload => workload.ClaimTemplates)).ToList();
        Assert.Equal(overrides == "existing objects" ? 0 : 2, made.Count);
        foreach (var claim in made)
        {
            // One node at a time: SQLite's and the log's files must not be shared over a network.
            Assert.StartsWith("ReadWriteOnce", Assert.Single(claim.Spec.AccessModes), StringComparison.Ordinal);
            Assert.NotEqual("", claim.Spec.StorageClassName);
            Assert.True(claim.Spec.Resources.Requests["storage"].ToDecimal() > 0);
        }
    }

    [Fact]
    public async Task Sizes_and_classes_of_volumes_are_the_operators()
    {
        var usual = await chart.RenderAsync(Overrides.Default);
        Assert.Equal("50Gi", Broker(usual).Spec.Resources.Requests["storage"].ToString());
        Assert.Null(Broker(usual).Spec.StorageClassName);
        var chosen = await chart.RenderAsync("storage classes");
        Assert.Equal(("10Gi", "ssd"), (Broker(chosen).Spec.Resources.Requests["storage"].ToString(), Broker(chosen).Spec.StorageClassName));
        var store = Assert.Single(chosen.All<V1PersistentVolumeClaim>());
        Assert.Equal(("200Gi", "local-nvme"), (store.Spec.Resources.Requests["storage"].ToString(), store.Spec.StorageClassName));

        static V1PersistentVolumeClaim Broker(Rendered rendered) => Assert.Single(rendered.Of("broker").ClaimTemplates);
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Pods_that_share_the_store_are_put_on_one_node_and_no_others_are(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var workload in rendered.Workloads)
        {
            var sharesStore = workload.Service is "collector" or "gateway";
            var rules = workload.Pod.Affinity?.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution ?? [];
            Assert.Equal(sharesStore ? 1 : 0, rules.Count);
            foreach (var rule in rules)
            {
                Assert.Equal("kubernetes.io/hostname", rule.TopologyKey);
                Assert.Equal(["collector", "gateway"], rendered.Workloads.Where(other => rule.LabelSelector.Matches(other.Labels)).Select(other => other.Service).Order());
            }
            if (sharesStore)
            {
                var database = rendered.One<V1ConfigMap>($"{workload.Service}-config").Data["DATABASE_PATH"];
                var store = Assert.Single(workload.Pod.Volumes, volume => volume.PersistentVolumeClaim is not null);
                Assert.Equal(Path.GetDirectoryName(database), workload.Container.VolumeMounts.Single(mount => mount.Name == store.Name).MountPath);
            }
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task The_queue_is_durable_on_the_brokers_own_volume(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var folder = rendered.One<V1ConfigMap>("broker-config").Data["DATA_PATH"];
        Assert.Equal(folder, rendered.Of("broker").Container.VolumeMounts.Single(mount => mount.Name == "data").MountPath);
    }

    [Theory]
    [InlineData("config: { broker: { MAX_PARTITIONS: 8 } }", "config")]
    [InlineData("secrets: { broker: { OTEL_EXPORTER_OTLP_HEADERS: a=b } }", "secrets")]
    public async Task A_changed_setting_replaces_the_pods_of_its_service_only(string values, string kind)
    {
        var before = await chart.RenderAsync(Overrides.Default);
        var after = Rendered.Parse(await chart.RenderTextAsync(values));
        foreach (var workload in before.Workloads)
        {
            var (old, now) = (workload.Template.Annotations(), after.Of(workload.Service).Template.Annotations());
            Assert.Equal(workload.Service != "broker", old[$"checksum/{kind}"] == now[$"checksum/{kind}"]);
        }
    }

    [Fact]
    public async Task The_way_in_is_the_operators()
    {
        var balancer = (await chart.RenderAsync("load balancer")).One<V1Service>("gateway-service");
        Assert.Equal("LoadBalancer", balancer.Spec.Type);
        Assert.Equal((80, 30080), (balancer.Spec.Ports[0].Port, balancer.Spec.Ports[0].NodePort));
        Assert.Equal(["10.0.0.0/8"], balancer.Spec.LoadBalancerSourceRanges);
        Assert.Equal("true", balancer.Annotations()["example.com/internal"]);
        Assert.Equal(("NodePort", 30081), ((await chart.RenderAsync("node port")).One<V1Service>("gateway-service").Spec switch { var s => (s.Type, s.Ports[0].NodePort!.Value) }));

        var ingress = Assert.Single((await chart.RenderAsync("ingress")).All<V1Ingress>());
        Assert.Equal("nginx", ingress.Spec.IngressClassName);
        Assert.Equal(["telemetry.example.com", "gpus.example.com"], ingress.Spec.Rules.Select(rule => rule.Host));
        Assert.Equal(ingress.Spec.Rules.Select(rule => rule.Host), Assert.Single(ingress.Spec.Tls).Hosts);
        Assert.Empty((await chart.RenderAsync(Overrides.Default)).All<V1Ingress>());
        Assert.Equal("ClusterIP", (await chart.RenderAsync(Overrides.Default)).One<V1Service>("gateway-service").Spec.Type);
    }

    private static void AssertChooses(Rendered rendered, V1LabelSelector selector, string service)
    {
        Assert.NotEmpty(selector.MatchLabels);
        Assert.Equal([service], rendered.Workloads.Where(workload => selector.Matches(workload.Labels)).Select(workload => workload.Service));
        Assert.Contains(PublishedChart.Release, selector.MatchLabels.Values);
    }
}
