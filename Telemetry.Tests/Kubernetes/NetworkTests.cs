using System.Globalization;
using k8s.Models;

namespace Telemetry.Tests.Kubernetes;

/// <summary>Who may connect to whom, computed from the rendered policies, is what the architecture has arrows for.</summary>
[Collection(PublishedChart.Collection)]
public sealed class NetworkTests(PublishedChart chart)
{
    private static readonly string[] Arrows = ["collector > broker:grpc", "gateway > broker:grpc", "streamer > broker:grpc"];

    private static readonly string[] FromOutside =
        ["anyone > gateway:http", "monitoring > broker:http", "monitoring > collector:http", "monitoring > gateway:http", "monitoring > streamer:http"];

    public static TheoryData<string> Isolated => [.. Overrides.Files.Keys.Except(["no policies"])];

    [Theory]
    [MemberData(nameof(Isolated))]
    public async Task Services_connect_along_the_arrows_only(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var edges =
            from client in rendered.Workloads
            from server in rendered.Workloads
            where client.Service != server.Service
            from port in server.Container.Ports
            where MaySend(rendered, client, server, port) && MayReceive(rendered, server, port, peer => Includes(peer, client))
            select $"{client.Service} > {server.Service}:{port.Name}";
        Assert.Equal(Arrows, edges.Order());
    }

    [Theory]
    [MemberData(nameof(Isolated))]
    public async Task From_outside_only_the_gateway_is_reached_and_monitoring_reads_metrics(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var monitoring = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = "monitoring" };
        var edges =
            from outside in new (string Name, Func<V1NetworkPolicyPeer, bool> Is)[]
            {
                ("anyone", _ => false),
                ("monitoring", peer => peer.PodSelector is null && peer.IpBlock is null && peer.NamespaceSelector?.Matches(monitoring) == true),
            }
            from server in rendered.Workloads
            from port in server.Container.Ports
            where MayReceive(rendered, server, port, outside.Is)
            select $"{outside.Name} > {server.Service}:{port.Name}";
        Assert.Equal(FromOutside, edges.Order());
    }

    [Theory]
    [MemberData(nameof(Isolated))]
    public async Task To_outside_services_only_look_up_names_unless_they_are_told_more(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        foreach (var workload in rendered.Workloads)
        {
            var outgoing = PolicyOf(rendered, workload).Spec.Egress
                .Where(rule => rule.To is null || rule.To.Any(peer => peer.PodSelector is null))
                .SelectMany(rule => rule.Ports.Select(port => $"{port.Protocol} {port.Port.Value}{(rule.To is null ? "" : " to some")}"));
            var traces = workload.Service is "broker" or "gateway" ? ["TCP 4317 to some"] : Array.Empty<string>();
            Assert.Equal(overrides == "traces" ? ["UDP 53", "TCP 53", .. traces, "TCP 443 to some"] : ["UDP 53", "TCP 53"], outgoing);
        }
    }

    /// <summary>A pod without a policy of its own could do everything: each has exactly one, for both directions.</summary>
    private static V1NetworkPolicy PolicyOf(Rendered rendered, Workload workload)
    {
        var policy = Assert.Single(rendered.All<V1NetworkPolicy>(), policy => policy.Spec.PodSelector.Matches(workload.Labels));
        Assert.Equal(["Egress", "Ingress"], policy.Spec.PolicyTypes.Order());
        return policy;
    }

    private static bool MaySend(Rendered rendered, Workload client, Workload server, V1ContainerPort port) =>
        (PolicyOf(rendered, client).Spec.Egress ?? []).Any(rule =>
            (rule.To is null || rule.To.Any(peer => Includes(peer, server))) && Covers(rule.Ports, port));

    private static bool MayReceive(Rendered rendered, Workload server, V1ContainerPort port, Func<V1NetworkPolicyPeer, bool> includes) =>
        (PolicyOf(rendered, server).Spec.Ingress ?? []).Any(rule =>
            (rule.FromProperty is null || rule.FromProperty.Any(includes)) && Covers(rule.Ports, port));

    private static bool Includes(V1NetworkPolicyPeer peer, Workload pods) =>
        peer.NamespaceSelector is null && peer.IpBlock is null && peer.PodSelector?.Matches(pods.Labels) == true;

    private static bool Covers(IList<V1NetworkPolicyPort>? ports, V1ContainerPort port) =>
        ports is null || ports.Any(allowed => allowed.Protocol == port.Protocol
            && (allowed.Port.Value == port.Name || allowed.Port.Value == port.ContainerPort.ToString(CultureInfo.InvariantCulture)));
}
