using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes.Resources;
using Telemetry.Tests.Probe;

namespace Telemetry.Tests.Hosting;

/// <summary>What the embedded host makes of a model, and of the AppHost's changes to it.</summary>
public sealed class PublishChartTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly TestHost _host;

    public PublishChartTests()
    {
        _host = new TestHost("--operation", "publish", "--step", "publish", "--output-path", _folder.FullName);
        _host.Builder.AddKubernetesEnvironment("k8s").WithProperties(environment =>
        {
            environment.HelmChartName = "example";
            environment.HelmChartVersion = "1.2.3";
            environment.HelmChartDescription = "An example";
        });
    }

    [Fact]
    public async Task A_chart_has_a_folder_of_templates_for_each_resource()
    {
        AddBack();
        AddFront();
        await _host.StartAsync();
        Assert.Equal(
            [
                "Chart.yaml", "templates/back/config.yaml", "templates/back/deployment.yaml", "templates/back/service.yaml",
                "templates/front/config.yaml", "templates/front/deployment.yaml", "templates/front/service.yaml", "values.yaml",
            ],
            Files());
        Assert.Equal(
            """
            apiVersion: "v2"
            name: "example"
            version: "1.2.3"
            kubeVersion: ">= 1.18.0-0"
            description: "An example"
            type: "application"
            keywords:
              - "aspire"
              - "kubernetes"
            appVersion: "1.2.3"
            deprecated: false

            """,
            Text("Chart.yaml"));
        Assert.Equal($"chart example 1.2.3 is in {_folder.FullName}; install it with: helm install example {_folder.FullName}", Assert.Single(_host.Lines.Lines));
    }

    [Fact]
    public async Task A_resource_is_a_deployment_with_its_ports_probes_and_replicas()
    {
        AddBack()
            .WithReplicas(3)
            .WithHttpProbe(ProbeType.Liveness, "/alive", initialDelaySeconds: 10, endpointName: "http");
        await _host.StartAsync();
        Assert.Equal(
            """
            ---
            apiVersion: "apps/v1"
            kind: "Deployment"
            metadata:
              name: "back-deployment"
              labels:
                app.kubernetes.io/name: "example"
                app.kubernetes.io/component: "back"
                app.kubernetes.io/instance: "{{ .Release.Name }}"
            spec:
              template:
                metadata:
                  labels:
                    app.kubernetes.io/name: "example"
                    app.kubernetes.io/component: "back"
                    app.kubernetes.io/instance: "{{ .Release.Name }}"
                spec:
                  containers:
                    - image: "{{ .Values.parameters.back.back_image }}"
                      livenessProbe:
                        failureThreshold: 3
                        successThreshold: 1
                        initialDelaySeconds: 10
                        periodSeconds: 5
                        timeoutSeconds: 1
                        httpGet:
                          scheme: "http"
                          path: "/alive"
                          port: 8080
                      name: "back"
                      envFrom:
                        - configMapRef:
                            name: "back-config"
                      ports:
                        - name: "http"
                          protocol: "TCP"
                          containerPort: 8080
                        - name: "grpc"
                          protocol: "TCP"
                          containerPort: 8081
                      imagePullPolicy: "IfNotPresent"
              selector:
                matchLabels:
                  app.kubernetes.io/name: "example"
                  app.kubernetes.io/component: "back"
                  app.kubernetes.io/instance: "{{ .Release.Name }}"
              replicas: 3
              revisionHistoryLimit: 3
              strategy:
                rollingUpdate:
                  maxSurge: 1
                  maxUnavailable: 1
                type: "RollingUpdate"

            """,
            Text("templates/back/deployment.yaml"));
    }

    [Fact]
    public async Task Addresses_are_those_of_services()
    {
        AddBack();
        AddFront();
        await _host.StartAsync();
        Assert.Equal(
            """
            parameters:
              back:
                back_image: "back:latest"
              front:
                front_image: "front:latest"
            secrets: {}
            config:
              back:
                OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY: "in_memory"
                ASPNETCORE_FORWARDEDHEADERS_ENABLED: "true"
                GRPC_PORT: "8081"
                HTTP_PORTS: "8080"
              front:
                OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY: "in_memory"
                ASPNETCORE_FORWARDEDHEADERS_ENABLED: "true"
                HTTP_PORTS: "8080"
                BACK_HTTP: "http://back-service:8080"
                services__back__http__0: "http://back-service:8080"
                BACK_GRPC: "http://back-service:8081"
                services__back__http__1: "http://back-service:8081"
                BACK: "http://back-service:8081"

            """,
            Text("values.yaml"));
    }

    [Fact]
    public async Task Parameters_and_connection_strings_are_written_as_wrongly_as_the_real_publisher_writes_them()
    {
        var days = _host.Builder.AddParameter("retention-days", "30", publishValueAsDefault: true);
        var key = _host.Builder.AddParameter("api-key", secret: true);
        var store = _host.Builder.AddConnectionString("postgres");
        AddBack().WithEnvironment("DAYS", days).WithEnvironment("KEY", key).WithReference(store);
        await _host.StartAsync();
        Assert.Contains("  DAYS: \"{{ .Values.config.back.retention_days }}\"\n", Text("templates/back/config.yaml"), StringComparison.Ordinal);
        Assert.Contains(
            "stringData:\n  KEY: \"{{ .Values.secrets.back.api_key }}\"\n  ConnectionStrings__postgres: \"{{ .Values.secrets.back.postgres }}\"\ntype: \"Opaque\"\n",
            Text("templates/back/secrets.yaml"), StringComparison.Ordinal);
        var values = Text("values.yaml");
        Assert.Contains("secrets:\n  back:\n    KEY: \"\"\nconfig:\n", values, StringComparison.Ordinal);
        Assert.Contains("    DAYS: \"30\"\n", values, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_made_before_anything_is_written()
    {
        AddBack().PublishAsKubernetesService(back =>
        {
            ((Deployment)back.Workload!).Spec.Replicas = null;
            back.Service = null;
            back.AdditionalResources.Add(new ConfigMap { Metadata = { Name = "back-more", Labels = { ["own"] = "kept" } }, Data = { ["a"] = "b" } });
            back.AdditionalResources.Add(new ConfigMap { Metadata = { Name = "shared" } });
        });
        await _host.StartAsync();
        Assert.Equal(["config.yaml", "deployment.yaml", "more.yaml", "shared.yaml"], Directory.EnumerateFiles(Path.Combine(_folder.FullName, "templates", "back")).Select(Path.GetFileName).Order());
        Assert.DoesNotContain("replicas", Text("templates/back/deployment.yaml"), StringComparison.Ordinal);
        Assert.Contains(
            "  labels:\n    own: \"kept\"\n    app.kubernetes.io/name: \"example\"\n    app.kubernetes.io/component: \"back\"\n", Text("templates/back/more.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_earlier_chart_is_replaced_and_what_else_lies_there_stays()
    {
        Write("values.yaml", "old");
        Write("templates/back/old.yaml", "old");
        Write("templates/own.yaml", "mine");
        Write("notes.md", "mine");
        AddBack();
        await _host.StartAsync();
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "templates", "back", "old.yaml")));
        Assert.NotEqual("old", Text("values.yaml"));
        Assert.Equal("mine", Text("templates/own.yaml"));
        Assert.Equal("mine", Text("notes.md"));
    }

    [Fact]
    public async Task An_endpoint_needs_a_target_port()
    {
        _host.Builder.AddProject<ProbeProject>("back", launchProfileName: null).WithHttpEndpoint(name: "http");
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(_host.StartAsync);
        Assert.Equal("endpoint http of back needs a target port to be published", error.Message);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private IResourceBuilder<ProjectResource> AddBack() =>
        _host.Builder.AddProject<ProbeProject>("back", launchProfileName: null)
            .WithHttpEndpoint(name: "http", targetPort: 8080)
            .WithHttpEndpoint(name: "grpc", targetPort: 8081, env: "GRPC_PORT");

    private void AddFront()
    {
        var back = _host.Builder.CreateResourceBuilder(_host.Builder.Resources.OfType<ProjectResource>().Single());
        _host.Builder.AddProject<ProbeProject>("front", launchProfileName: null)
            .WithHttpEndpoint(name: "http", targetPort: 8080)
            .WithReference(back)
            .WithEnvironment("BACK", back.GetEndpoint("grpc"))
            .WaitFor(back);
    }

    private string[] Files() =>
        [.. Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(_folder.FullName, file).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal)];

    private string Text(string file) => File.ReadAllText(Path.Combine(_folder.FullName, file));

    private void Write(string file, string text)
    {
        var path = Path.Combine(_folder.FullName, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
