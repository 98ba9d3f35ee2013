using k8s.Models;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Kubernetes;

/// <summary>What a pod may do, and for how long, with every override file.</summary>
[Collection(PublishedChart.Collection)]
public sealed class SecurityTests(PublishedChart chart)
{
    public static TheoryData<string> EachOverride => Overrides.Names;

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Pods_have_no_privileges(string overrides)
    {
        foreach (var pod in (await chart.RenderAsync(overrides)).Workloads.Select(workload => workload.Pod))
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.False(pod.EnableServiceLinks);
            Assert.Null(pod.InitContainers);
            Assert.True(pod.HostNetwork is null or false);
            Assert.True(pod.HostPID is null or false);
            Assert.True(pod.HostIPC is null or false);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal((1654, 1654, 1654), (pod.SecurityContext.RunAsUser, pod.SecurityContext.RunAsGroup, pod.SecurityContext.FsGroup));
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.DoesNotContain(pod.Volumes, volume => volume.HostPath is not null);
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Containers_have_no_privileges_and_write_to_volumes_only(string overrides)
    {
        foreach (var workload in (await chart.RenderAsync(overrides)).Workloads)
        {
            var container = workload.Container;
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.True(container.SecurityContext.Privileged is null or false);
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Null(container.SecurityContext.Capabilities.Add);
            Assert.Null(container.Command);
            var temporary = workload.Pod.Volumes.Single(volume => volume.Name == container.VolumeMounts.Single(mount => mount.MountPath == "/tmp").Name);
            Assert.True(temporary.EmptyDir.SizeLimit.ToDecimal() > 0);
            Assert.All(container.VolumeMounts, mount => Assert.Equal(mount.MountPath == "/input", mount.ReadOnlyProperty is true));
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Containers_request_what_they_use_and_are_limited(string overrides)
    {
        foreach (var resources in (await chart.RenderAsync(overrides)).Workloads.Select(workload => workload.Container.Resources))
        {
            foreach (var resource in new[] { "cpu", "memory" })
            {
                Assert.True(resources.Requests[resource].ToDecimal() > 0);
                Assert.True(resources.Limits[resource].ToDecimal() >= resources.Requests[resource].ToDecimal());
            }
        }
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Pods_have_more_time_to_end_than_services_take(string overrides) =>
        Assert.All(
            (await chart.RenderAsync(overrides)).Workloads,
            workload => Assert.True(workload.Pod.TerminationGracePeriodSeconds > ServiceHost.StopTimeout.TotalSeconds));

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task A_disruption_budget_is_there_for_every_service_unless_it_is_off(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        Assert.Equal(overrides == "no policies" ? 0 : 4, rendered.All<V1PodDisruptionBudget>().Count());
        Assert.Equal(overrides == "no policies" ? 0 : 4, rendered.All<V1NetworkPolicy>().Count());
    }

    [Fact]
    public async Task Secrets_are_in_no_config_map()
    {
        var rendered = await chart.RenderAsync("traces");
        Assert.Equal("api-key=a:b,c=\"d\"", rendered.One<V1Secret>("gateway-secrets").StringData["OTEL_EXPORTER_OTLP_HEADERS"]);
        Assert.All(rendered.All<V1ConfigMap>(), config => Assert.DoesNotContain("OTEL_EXPORTER_OTLP_HEADERS", config.Data));
    }
}
