using Aspire.Hosting.Kubernetes;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>How the gateway is reached from outside of the cluster.</summary>
internal static class Outside
{
    /// <summary>The gateway's service, of the type that the operator chooses.</summary>
    public static HelmObject Service(KubernetesResource gateway)
    {
        var published = gateway.Service!;
        var port = new Dictionary<string, object>
        {
            ["name"] = "http",
            ["protocol"] = "TCP",
            ["port"] = TemplateText.Number(".Values.service.gateway.port"),
            ["targetPort"] = "http",
        };
        port.AddWhen(".Values.service.gateway.nodePort", "nodePort", TemplateText.Number(".Values.service.gateway.nodePort"));
        var service = new HelmObject("v1", "Service", published.Metadata.Name)
        {
            Spec =
            {
                ["type"] = "{{ .Values.service.gateway.type }}",
                ["selector"] = published.Spec.Selector,
                ["ports"] = new object[] { port },
            },
        };
        AddAnnotations(service, ".Values.service.gateway.annotations");
        service.Spec.AddWhen(
            ".Values.service.gateway.loadBalancerSourceRanges", "loadBalancerSourceRanges", TemplateText.Yaml(".Values.service.gateway.loadBalancerSourceRanges"));
        return service;
    }

    /// <summary>The gateway's ingress, where there is a controller for it.</summary>
    public static HelmObject Ingress()
    {
        var ingress = new HelmObject("networking.k8s.io/v1", "Ingress", "gateway-ingress") { When = "{{ if .Values.ingress.enabled }}" };
        AddAnnotations(ingress, ".Values.ingress.annotations");
        ingress.Spec.AddWhen(".Values.ingress.className", "ingressClassName", "{{ .Values.ingress.className }}");
        ingress.Spec["rules"] = TemplateText.ForEach(".Values.ingress.hosts", new Dictionary<string, object>
        {
            ["host"] = "{{ . }}",
            ["http"] = new Dictionary<string, object>
            {
                ["paths"] = new object[]
                {
                    new Dictionary<string, object>
                    {
                        ["path"] = "/",
                        ["pathType"] = "Prefix",
                        ["backend"] = new Dictionary<string, object>
                        {
                            ["service"] = new Dictionary<string, object> { ["name"] = "gateway-service", ["port"] = new Dictionary<string, object> { ["name"] = "http" } },
                        },
                    },
                },
            },
        });
        ingress.Spec.AddWhen(".Values.ingress.tls", "tls", TemplateText.Yaml(".Values.ingress.tls"));
        return ingress;
    }

    private static void AddAnnotations(HelmObject target, string values)
    {
        var annotations = target.Metadata.Annotations;
        annotations[$"{{{{ range $name, $value := {values} }}}} names"] = "";
        annotations["{{ $name }}"] = "{{ include `telemetry.setting` $value }}";
        annotations["{{ end }} names"] = "";
    }
}
