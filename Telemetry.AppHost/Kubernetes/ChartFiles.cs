using System.Text.RegularExpressions;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>What is left to do when the publisher has written its chart: conditions, values.yaml for people, functions, notes.</summary>
internal static class ChartFiles
{
    public static async Task CompleteAsync(string folder, CancellationToken cancellationToken)
    {
        var templates = Path.Combine(folder, "templates");
        foreach (var service in ServiceSettings.Services)
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(templates, service), "*.yaml"))
                await RewriteAsync(file, TemplateText.Complete, cancellationToken);
        }
        await RewriteAsync(Path.Combine(folder, "values.yaml"), ChartValues.Complete, cancellationToken);
        // autoscaling/v2 is the newest API in it.
        await RewriteAsync(Path.Combine(folder, "Chart.yaml"), text => Regex.Replace(text, "(?m)^kubeVersion: .*$", "kubeVersion: \">= 1.23.0-0\""), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(templates, "_helpers.tpl"), Helpers, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(templates, "NOTES.txt"), Notes, cancellationToken);
    }

    private static async Task RewriteAsync(string file, Func<string, string> rewrite, CancellationToken cancellationToken) =>
        await File.WriteAllTextAsync(file, rewrite(await File.ReadAllTextAsync(file, cancellationToken)), cancellationToken);

    private const string Helpers = """
        {{- /* A setting as the inside of a quoted text. Helm reads large numbers as floats: no exponent is written for them. */ -}}
        {{- define "telemetry.setting" -}}
        {{- $text := "" -}}
        {{- if and (kindIs "float64" .) (eq . (floor .)) -}}
        {{- $text = printf "%.0f" . -}}
        {{- else if not (kindIs "invalid" .) -}}
        {{- $text = toString . -}}
        {{- end -}}
        {{- $text | toJson | trimPrefix "\"" | trimSuffix "\"" -}}
        {{- end -}}

        {{- /* An image: registry, repository, and the tag of values.yaml or the chart's version where the repository has none. */ -}}
        {{- define "telemetry.image" -}}
        {{- $root := index . 0 -}}
        {{- $image := index . 1 -}}
        {{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
        {{- $image -}}
        {{- if not (regexMatch "[:@][^/]*$" $image) }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}{{ end -}}
        {{- end -}}

        {{- /* The claim of the volume that collectors and gateways share. */ -}}
        {{- define "telemetry.storeClaim" -}}
        {{- $store := (index . 0).Values.persistence.store -}}
        {{- if $store.existingClaim -}}
        {{- $store.existingClaim -}}
        {{- else if $store.enabled -}}
        {{- index . 1 -}}
        {{- else -}}
        {{- fail "persistence.store.enabled=false needs persistence.store.existingClaim: collectors and gateways share the store, and pods cannot share a volume that is not claimed" -}}
        {{- end -}}
        {{- end -}}

        """;

    private const string Notes = """
        {{ .Chart.Name }} {{ .Chart.AppVersion }} is installed as {{ .Release.Name }}. One release a namespace: its objects have fixed names.

        {{ if .Values.ingress.enabled -}}
        The API:
        {{- range .Values.ingress.hosts }}
          http{{ if $.Values.ingress.tls }}s{{ end }}://{{ . }}/swagger/index.html
        {{- end }}
        {{- else if eq .Values.service.gateway.type "LoadBalancer" -}}
        The API is at the address of:
          kubectl get service gateway-service --namespace {{ .Release.Namespace }}
        {{- else if eq .Values.service.gateway.type "NodePort" -}}
        The API is on every node at the port of:
          kubectl get service gateway-service --namespace {{ .Release.Namespace }}
        {{- else -}}
        The API is at http://localhost:8080/swagger/index.html after:
          kubectl port-forward service/gateway-service 8080:{{ .Values.service.gateway.port }} --namespace {{ .Release.Namespace }}
        {{- end }}
        {{ if not .Values.persistence.store.existingClaim }}
        The store's volume stays when the release is uninstalled. To remove it:
          kubectl delete pvc collector-store --namespace {{ .Release.Namespace }}
        {{ end -}}

        """;
}
