using Aspire.Hosting.Kubernetes.Resources;
using Telemetry.Hosting.Publish;

namespace Telemetry.Tests.Hosting;

/// <summary>YAML as Aspire's publisher writes it: what its files are compared with is compared byte for byte.</summary>
public sealed class PublishSerializerTests
{
    [Theory]
    [InlineData("text", "\"text\"")]
    [InlineData("8080", "\"8080\"")]
    [InlineData("true", "\"true\"")]
    [InlineData("", "\"\"")]
    [InlineData("say \"hi\"", "\"say \\\"hi\\\"\"")]
    [InlineData("{{ .Values.a }}", "\"{{ .Values.a }}\"")]
    [InlineData("{{ .Values.a | int }}", "{{ .Values.a | int }}")]
    [InlineData("{{ .Values.a | int64 }}", "{{ .Values.a | int64 }}")]
    [InlineData("{{ .Values.a | float64 }}", "{{ .Values.a | float64 }}")]
    [InlineData("{{ .Values.a | integer }}", "\"{{ .Values.a | integer }}\"")]
    [InlineData("{{ .Values.a }}:{{ .Values.b | int }}", "\"{{ .Values.a }}:{{ .Values.b | int }}\"")]
    [InlineData("{{ if .Values.a }}x{{ else }}null{{ end }}", "{{ if .Values.a }}x{{ else }}null{{ end }}")]
    [InlineData("{{ iffy }}", "\"{{ iffy }}\"")]
    public void A_text_is_quoted_unless_Helm_turns_it_into_something_else(string text, string expected) =>
        Assert.Equal($"key: {expected}\n", ChartSerializer.Serialize(new Dictionary<string, string> { ["key"] = text }));

    [Fact]
    public void Keys_are_not_quoted_and_numbers_neither() =>
        Assert.Equal(
            "app.kubernetes.io/name: 3\nlist:\n  - \"a\"\n  - true\n",
            ChartSerializer.Serialize(new Dictionary<string, object> { ["app.kubernetes.io/name"] = 3, ["list"] = new object[] { "a", true } }));

    [Fact]
    public void An_object_begins_with_version_kind_and_metadata_and_has_no_empty_parts()
    {
        var config = new ConfigMap { Metadata = { Name = "a-config" } };
        config.Data["KEY"] = "{{ .Values.config.a.KEY }}";
        Assert.Equal(
            """
            apiVersion: "v1"
            kind: "ConfigMap"
            metadata:
              name: "a-config"
            data:
              KEY: "{{ .Values.config.a.KEY }}"

            """,
            ChartSerializer.Serialize(config));
    }

    [Fact]
    public void A_port_is_a_number_or_a_name()
    {
        var service = new Service { Metadata = { Name = "a" }, Spec = { ClusterIp = "None" } };
        service.Spec.Ports.Add(new ServicePortV1 { Name = "http", Protocol = "TCP", Port = new("8080"), TargetPort = new("http") });
        service.Spec.Ports.Add(new ServicePortV1 { Name = "grpc", Protocol = "TCP", Port = 8081, TargetPort = new("{{ .Values.port | int }}") });
        Assert.Equal(
            """
            apiVersion: "v1"
            kind: "Service"
            metadata:
              name: "a"
            spec:
              clusterIP: "None"
              type: "ClusterIP"
              ports:
                - name: "http"
                  protocol: "TCP"
                  port: 8080
                  targetPort: "http"
                - name: "grpc"
                  protocol: "TCP"
                  port: 8081
                  targetPort: {{ .Values.port | int }}

            """,
            ChartSerializer.Serialize(service));
    }

    [Fact]
    public void An_empty_object_is_written_as_one()
    {
        var deployment = new Deployment { Spec = { Replicas = null, RevisionHistoryLimit = null, Strategy = null! } };
        Assert.Equal(
            """
            apiVersion: "apps/v1"
            kind: "Deployment"
            metadata: {}
            spec:
              template:
                metadata: {}
                spec: {}
              selector: {}

            """,
            ChartSerializer.Serialize(deployment));
    }
}
