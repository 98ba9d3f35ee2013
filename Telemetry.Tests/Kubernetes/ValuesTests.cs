using System.Text.RegularExpressions;
using k8s.Models;
using Telemetry.Broker;
using Telemetry.Collector;
using Telemetry.Gateway;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Streamer;
using YamlDotNet.RepresentationModel;

namespace Telemetry.Tests.Kubernetes;

/// <summary>values.yaml is the operator's interface: complete, used, explained, and understood by the services.</summary>
[Collection(PublishedChart.Collection)]
public sealed partial class ValuesTests(PublishedChart chart)
{
    /// <summary>What a pod needs otherwise than a program that is started by hand.</summary>
    private static readonly string[] SetByTheChart = ["PORT", "METRICS_PORT", "LISTEN_ADDRESS", "CSV_FILE", "DATABASE_PATH", "MESSAGEQUEUE_ADDR", "DATA_PATH"];

    public static TheoryData<string> Services => ["broker", "streamer", "collector", "gateway"];

    [Fact]
    public void Every_value_that_a_template_uses_exists()
    {
        var values = Leaves().ToList();
        Assert.NotEmpty(Used());
        Assert.DoesNotContain(Used(), path => !values.Exists(value => IsIn(value, path)));
    }

    [Fact]
    public void Every_value_is_used_by_a_template()
    {
        var used = Used().ToList();
        Assert.DoesNotContain(Leaves(), value => !used.Exists(path => IsIn(value, path)));
    }

    [Fact]
    public void Every_value_has_a_comment_and_every_setting_its_own()
    {
        var commented = new HashSet<string>();
        var path = new Stack<(int Indent, string Path)>();
        var comment = -1;
        foreach (var line in ValuesText().Split('\n').Where(line => !line.TrimStart().StartsWith("- ", StringComparison.Ordinal)))
        {
            var indent = line.Length - line.TrimStart().Length;
            if (Key().Match(line) is { Success: true } key)
            {
                while (path.TryPeek(out var above) && above.Indent >= indent)
                    path.Pop();
                path.Push((indent, path.TryPeek(out var parent) ? $"{parent.Path}.{key.Groups["name"].Value}" : key.Groups["name"].Value));
                if (comment == indent)
                    commented.Add(path.Peek().Path);
            }
            comment = line.TrimStart().StartsWith('#') ? indent : -1;
        }
        Assert.DoesNotContain(Leaves(), value =>
            !commented.Contains(value) && (value.StartsWith("config.", StringComparison.Ordinal) || !commented.Any(group => IsIn(value, group))));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_service_gets_every_setting_that_it_has_and_understands_all(string service)
    {
        var config = (await chart.RenderAsync(Overrides.Default)).One<V1ConfigMap>($"{service}-config").Data;
        var settings = SettingDescription.Of(Read(service, _ => null)).ToDictionary(setting => setting.Name);
        Assert.Empty(settings.Keys.Except(config.Keys));
        Assert.DoesNotContain(config.Keys.Except(settings.Keys), name => !Standard().IsMatch(name));
        foreach (var name in settings.Keys.Except(SetByTheChart))
            Assert.Equal(settings[name].DefaultText, config[name] is "" ? "none" : config[name]);

        Read(service, name => config.TryGetValue(name, out var value) ? value : null);
    }

    [Fact]
    public async Task Images_come_from_the_registry_with_the_tag_that_the_operator_names()
    {
        foreach (var workload in (await chart.RenderAsync("registry")).Workloads)
        {
            Assert.Equal($"registry.example.com:5000/telemetry/telemetry-{workload.Service}:1.2.3", workload.Container.Image);
            Assert.Equal("Always", workload.Container.ImagePullPolicy);
            Assert.Equal(["registry", "mirror"], workload.Pod.ImagePullSecrets.Select(secret => secret.Name));
        }
        Assert.All((await chart.RenderAsync(Overrides.Default)).Workloads, workload => Assert.Null(workload.Pod.ImagePullSecrets));
    }

    [Theory]
    [InlineData("registry.internal/other", "registry.internal/other:0.9", "0.9")]
    [InlineData("telemetry-broker:edge", "telemetry-broker:edge", "0.9")]
    [InlineData("telemetry-broker@sha256:abc", "telemetry-broker@sha256:abc", "0.9")]
    [InlineData("localhost:5000/broker", "localhost:5000/broker:0.9", "0.9")]
    public async Task An_image_may_have_a_repository_a_tag_or_a_digest_of_its_own(string value, string image, string tag)
    {
        var text = await chart.RenderTextAsync($"image: {{ tag: '{tag}' }}\nparameters: {{ broker: {{ broker_image: '{value}' }} }}");
        Assert.Equal(image, Rendered.Parse(text).Of("broker").Container.Image);
    }

    [Fact]
    public async Task Nodes_and_what_a_pod_may_use_are_the_operators()
    {
        foreach (var workload in (await chart.RenderAsync("ports and nodes")).Workloads)
        {
            Assert.Equal("false", workload.Pod.NodeSelector["gpu"]);
            Assert.Equal("dedicated", Assert.Single(workload.Pod.Tolerations).Key);
        }
        Assert.Equal("4", (await chart.RenderAsync("ports and nodes")).Of("broker").Container.Resources.Limits["cpu"].ToString());
    }

    private static object Read(string service, Func<string, string?> environment) => service switch
    {
        "broker" => SettingsReader.Read<BrokerOptions>([], environment),
        "streamer" => SettingsReader.Read<StreamerOptions>([], environment),
        "collector" => SettingsReader.Read<CollectorOptions>([], environment),
        _ => SettingsReader.Read<GatewayOptions>([], environment),
    };

    /// <summary>Whether a value is what a path names, or in it.</summary>
    private static bool IsIn(string value, string path) => value == path || value.StartsWith(path + ".", StringComparison.Ordinal);

    /// <summary>Paths of values that templates read.</summary>
    private HashSet<string> Used() =>
        [.. Directory.EnumerateFiles(Path.Combine(chart.Folder, "templates"), "*", SearchOption.AllDirectories)
            .SelectMany(file => ValuePath().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["path"].Value)];

    private string ValuesText() => File.ReadAllText(Path.Combine(chart.Folder, "values.yaml"));

    /// <summary>Paths of everything in values.yaml that is not a mapping with something in it.</summary>
    private IEnumerable<string> Leaves()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(ValuesText()));
        return Leaves("", (YamlMappingNode)yaml.Documents[0].RootNode);
    }

    private static IEnumerable<string> Leaves(string path, YamlMappingNode mapping) =>
        mapping.Children.SelectMany(child => child.Value is YamlMappingNode { Children.Count: > 0 } inner
            ? Leaves($"{path}{child.Key}.", inner)
            : [$"{path}{child.Key}"]);

    [GeneratedRegex(@"\.Values\.(?<path>\w+(?:\.\w+)*)")]
    private static partial Regex ValuePath();

    [GeneratedRegex(@"^ *(?<name>[\w./-]+):(?: |$)")]
    private static partial Regex Key();

    /// <summary>Variables of .NET, OpenTelemetry and Aspire's references.</summary>
    [GeneratedRegex("^(OTEL_|DOTNET_|ASPNETCORE_|BROKER_(HTTP|GRPC)$|services__broker__)")]
    private static partial Regex Standard();
}
