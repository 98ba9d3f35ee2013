using k8s.Models;
using Telemetry.Tests.Tidy;
using YamlDotNet.Core;

namespace Telemetry.Tests.Kubernetes;

/// <summary>The chart as a whole: Helm, kubectl and the typed objects of Kubernetes read it.</summary>
[Collection(PublishedChart.Collection)]
public sealed class ChartTests(PublishedChart chart)
{
    /// <summary>Set to true, the snapshot is written instead of compared.</summary>
    private const string UpdateVariable = "TELEMETRY_UPDATE_SNAPSHOTS";

    public static TheoryData<string> EachOverride => Overrides.Names;

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Lint_finds_nothing(string overrides)
    {
        var lint = (await chart.HelmAsync("lint", Overrides.Files[overrides])).Succeeded();
        Assert.DoesNotContain("[WARNING]", lint, StringComparison.Ordinal);
        Assert.DoesNotContain("[ERROR]", lint, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Every_object_is_one_that_Kubernetes_knows_and_there_once(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        Assert.Equal(["broker", "collector", "gateway", "streamer"], rendered.Workloads.Select(workload => workload.Service).Order());
        Assert.Equal(rendered.Text.Split('\n').Count(line => line.StartsWith("kind:", StringComparison.Ordinal)), rendered.Objects.Count);
        Assert.Distinct(rendered.Objects.Select(o => $"{o.Kind} {o.Metadata.Name}"));
        Assert.All(rendered.Objects, o => Assert.Matches("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", o.Metadata.Name));
    }

    [Theory]
    [InlineData("spec: { type: ClusterIP, tpye: ClusterIP }")]
    [InlineData("spec: { type: ClusterIP, type: ClusterIP }")]
    [InlineData("spec: { ports: [{ port: http }] }")]
    [InlineData("spec: [")]
    public void What_Kubernetes_does_not_know_is_refused(string spec) =>
        Assert.ThrowsAny<YamlException>(() => Rendered.Parse($"apiVersion: v1\nkind: Service\nmetadata: {{ name: a }}\n{spec}\n"));

    [Theory]
    [InlineData("apiVersion: v1\nkind: Servcie\nmetadata: { name: a }\n")]
    [InlineData("apiVersion: apps/v1\nkind: Service\nmetadata: { name: a }\n")]
    public void A_kind_that_Kubernetes_does_not_know_is_refused(string text) => Assert.ThrowsAny<Exception>(() => Rendered.Parse(text));

    /// <summary>Without a server kubectl decodes every object into its own types, and no more: a dry run of apply wants a server.</summary>
    [Theory]
    [MemberData(nameof(EachOverride))]
    public async Task Kubectl_reads_every_object(string overrides)
    {
        var rendered = await chart.RenderAsync(overrides);
        var listed = (await KubectlReadsAsync(rendered.Text)).Succeeded();
        Assert.All(rendered.Workloads, workload => Assert.Contains($"{workload.Kind} {workload.Name}", listed, StringComparison.Ordinal));

        var wrong = await KubectlReadsAsync(rendered.Text.Replace("protocol: \"TCP\"", "protocol: [TCP]", StringComparison.Ordinal));
        Assert.NotEqual(0, wrong.ExitCode);
    }

    [Fact]
    public async Task The_default_objects_are_those_of_the_snapshot()
    {
        var rendered = await chart.RenderAsync(Overrides.Default);
        var snapshot = Path.Combine(Repository.Root, "Telemetry.Tests", "Kubernetes", "default.yaml");
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "true")
            await File.WriteAllTextAsync(snapshot, rendered.Text, TestContext.Current.CancellationToken);
        var expected = await File.ReadAllTextAsync(snapshot, TestContext.Current.CancellationToken);
        if (expected != rendered.Text)
        {
            Assert.Fail($"The chart renders differently from {Path.GetFileName(snapshot)}. If that is meant, run this test once with "
                + $"{UpdateVariable}=true and commit the file. {FirstDifference(expected, rendered.Text)}");
        }
    }

    [Fact]
    public async Task Publishing_again_writes_the_same_files()
    {
        var again = Path.Combine(chart.Folder, "..", "again");
        await PublishedChart.PublishAsync(again);
        await PublishedChart.PublishAsync(again);
        Assert.Equal(Contents(chart.Folder), Contents(again));
    }

    [Fact]
    public async Task A_store_without_a_volume_is_refused_with_the_reason()
    {
        var result = await chart.HelmAsync("template", "persistence: { store: { enabled: false } }");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("persistence.store.existingClaim", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default", "kubectl port-forward service/gateway-service 8080:8080 --namespace telemetry")]
    [InlineData("load balancer", "kubectl get service gateway-service --namespace telemetry")]
    [InlineData("node port", "kubectl get service gateway-service --namespace telemetry")]
    [InlineData("ingress", "https://gpus.example.com/swagger/index.html")]
    public async Task Installing_says_how_the_gateway_is_reached(string overrides, string way)
    {
        var notes = (await chart.HelmAsync("install", Overrides.Files[overrides])).Succeeded().Split("NOTES:")[1];
        Assert.Contains(way, notes, StringComparison.Ordinal);
        Assert.Contains("kubectl delete pvc collector-store", notes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_settings_arrive_as_they_are()
    {
        var rendered = await chart.RenderAsync("odd settings");
        var broker = rendered.One<V1ConfigMap>("broker-config").Data;
        Assert.Equal("100000000", broker["MAX_MESSAGES_PER_PARTITION"]);
        Assert.Equal("1", broker["DOTNET_EnableDiagnostics"]);
        var streamer = rendered.One<V1ConfigMap>("streamer-config").Data;
        Assert.Equal("false", streamer["LOOP_DATA"]);
        Assert.Equal("a: \"b\" # {{ .Values.x }} \\n'c'", streamer["TOPIC"]);
        Assert.Equal("/input/ä ö.csv\n  key: injected\n---\n", streamer["CSV_FILE"]);
        var collector = rendered.One<V1ConfigMap>("collector-config").Data;
        Assert.Equal("1.5", collector["BATCH_SIZE"]);
        Assert.Equal("tab\t\\ back `quote` $(x) <&>", rendered.One<V1Secret>("collector-secrets").StringData["PASSWORD_OF_MINE"]);
    }

    private async Task<ToolResult> KubectlReadsAsync(string text) =>
        await Tool.KubectlAsync("set", "env", "--local", "--list", "--filename", chart.Write("rendered.yaml", text));

    private static string FirstDifference(string expected, string actual)
    {
        var (old, now) = (expected.Split('\n'), actual.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(old.Length, now.Length)).First(i => old.ElementAtOrDefault(i) != now.ElementAtOrDefault(i));
        return $"Line {line + 1}:\n- {old.ElementAtOrDefault(line)}\n+ {now.ElementAtOrDefault(line)}";
    }

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText);
}
