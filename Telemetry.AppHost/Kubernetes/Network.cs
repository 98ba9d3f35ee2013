using Aspire.Hosting.Kubernetes;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>Who may connect to whom: the arrows of the architecture, name resolution, monitoring, and nothing else.</summary>
internal static class Network
{
    /// <summary>The policy of a service.</summary>
    /// <param name="service">The service.</param>
    /// <param name="clients">The services that may connect to it.</param>
    /// <param name="endpoint">The endpoint that they, or everybody, connect to.</param>
    /// <param name="servers">The services that it may connect to, on their endpoint grpc.</param>
    public static HelmObject Policy(KubernetesResource service, string[] clients, string? endpoint, string[] servers)
    {
        var incoming = new List<object>();
        if (endpoint is not null && clients.Length > 0)
            incoming.Add(Rule("from", [.. clients.Select(client => PodsOf(service, client))], endpoint));
        else if (endpoint is not null)
            incoming.Add(new Dictionary<string, object> { ["ports"] = Ports(endpoint) });
        if (endpoint != "http")
        {
            incoming.Add(Rule("from", [new Dictionary<string, object>
            {
                ["namespaceSelector"] = new Dictionary<string, object> { ["matchLabels"] = TemplateText.Yaml(".Values.networkPolicy.monitoring.namespaceLabels") },
            }], "http"));
        }
        var outgoing = new List<object> { new Dictionary<string, object> { ["ports"] = new object[] { Port(53, "UDP"), Port(53, "TCP") } } };
        outgoing.AddRange(servers.Select(server => Rule("to", [PodsOf(service, server)], "grpc")));
        return new HelmObject("networking.k8s.io/v1", "NetworkPolicy", $"{service.Name}-networkpolicy")
        {
            When = "{{ if .Values.networkPolicy.enabled }}",
            Spec =
            {
                ["podSelector"] = Pods.Selector(service.Workload!),
                ["policyTypes"] = new[] { "Ingress", "Egress" },
                ["ingress"] = incoming.ToArray(),
                ["egress"] = outgoing.Concat(ToReceiver(service.Name)).Concat(Further(".Values.networkPolicy.extraEgress")).ToArray(),
            },
        };
    }

    /// <summary>The receiver of traces and metrics, where one is configured.</summary>
    private static object[] ToReceiver(string service)
    {
        var receiver = new Dictionary<string, object>
        {
            ["ports"] = TemplateText.ForEach(".Values.networkPolicy.otlp.ports", Port(TemplateText.Number("."), "TCP")),
        };
        receiver.AddWhen(".Values.networkPolicy.otlp.to", "to", TemplateText.Yaml(".Values.networkPolicy.otlp.to"));
        return [$"{{{{ if .Values.config.{service}.OTEL_EXPORTER_OTLP_ENDPOINT }}}}", receiver, "{{ end }}"];
    }

    private static object[] Further(string values) =>
        TemplateText.ForEach(values, new Dictionary<string, object> { ["to"] = TemplateText.Yaml(".to"), ["ports"] = TemplateText.Yaml(".ports") });

    private static Dictionary<string, object> Rule(string direction, object[] peers, string endpoint) =>
        new() { [direction] = peers, ["ports"] = Ports(endpoint) };

    private static Dictionary<string, object> PodsOf(KubernetesResource service, string other)
    {
        var selector = Pods.Selector(service.Workload!);
        selector.MatchLabels["app.kubernetes.io/component"] = other;
        return new() { ["podSelector"] = selector };
    }

    private static object[] Ports(string endpoint) => [Port(endpoint, "TCP")];

    private static Dictionary<string, object> Port(object port, string protocol) => new() { ["protocol"] = protocol, ["port"] = port };
}
