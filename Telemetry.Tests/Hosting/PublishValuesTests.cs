using System.Reflection;
using Telemetry.AppHost.Kubernetes;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Hosting;

/// <summary>What the AppHost does with a chart that was written.</summary>
public sealed class PublishValuesTests
{
    public static TheoryData<string> Services => [.. ServiceSettings.Services];

    [Theory]
    [MemberData(nameof(Services))]
    public void The_AppHost_lists_every_setting_of_a_service_as_the_service_does(string service)
    {
        var options = Assembly.Load($"Telemetry.{char.ToUpperInvariant(service[0])}{service[1..]}").GetTypes().Single(type => type.IsSubclassOf(typeof(ServiceOptions)));
        var expected = SettingDescription.Of(Activator.CreateInstance(options)!)
            .Select(setting => new ServiceSetting(setting.Name, setting.DefaultText == "none" ? "" : setting.DefaultText, setting.Help));
        Assert.Equal(expected.OrderBy(setting => setting.Name), ServiceSettings.Of(service).Except(ServiceSettings.Runtime).OrderBy(setting => setting.Name));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_setting_has_its_default_and_a_comment_in_the_values(string service)
    {
        var lines = ChartValues.Complete("config: {}").Split('\n').SkipWhile(line => line != "config:").SkipWhile(line => line != $"  {service}:").ToList();
        Assert.All(ServiceSettings.Of(service), setting =>
        {
            var index = lines.IndexOf($"    {setting.Name}: \"{setting.Default}\"");
            Assert.True(index > 0, setting.Name);
            Assert.StartsWith("    # ", lines[index - 1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public void What_stands_in_a_setting_of_the_publishers_is_commented_too()
    {
        var lines = ChartValues.Complete("config:\n  gateway:\n    BROKER_GRPC: x\n").Split('\n');
        Assert.StartsWith("    # Service discovery", lines[Array.IndexOf(lines, "    BROKER_GRPC: \"x\"") - 1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_publishers_values_win_and_what_only_it_knows_is_kept()
    {
        var values = ChartValues.Complete(
            """
            parameters:
              gateway:
                gateway_image: "gateway:latest"
            config:
              gateway:
                PORT: "8080"
                BROKER_GRPC: "http://broker-service:8081"
                DATABASE_PATH: "/data/telemetry.db"
            """);
        Assert.Contains("    BROKER_GRPC: \"http://broker-service:8081\"\n", values, StringComparison.Ordinal);
        Assert.Contains("    DATABASE_PATH: \"/data/telemetry.db\"\n", values, StringComparison.Ordinal);
        // But for the image, whose tag would hide image.tag.
        Assert.Contains("    gateway_image: \"telemetry-gateway\"\n", values, StringComparison.Ordinal);
    }

    [Fact]
    public void What_changes_the_chart_does_not_name_its_host()
    {
        var code = Directory.EnumerateFiles(Path.Combine(Projects.Telemetry_AppHost.ProjectPath, "Kubernetes"), "*.cs").SelectMany(File.ReadLines).ToList();
        Assert.NotEmpty(code);
        Assert.DoesNotContain(code, line => line.StartsWith('#') || line.Contains("Telemetry.Hosting", StringComparison.Ordinal));
    }

    [Fact]
    public void Values_are_written_with_comments_and_read_back()
    {
        var values = new HelmValues()
            .Section("a", "A section.")
            .Set("a.text", "8080", "Words " + string.Concat(Enumerable.Repeat("word ", 25)))
            .Set("a.number", 3)
            .Set("a.flag", true)
            .Set("a.list", new object[] { "x", 1 })
            .Set("a.nothing", Array.Empty<object>())
            .Set("map", new Dictionary<string, object> { ["kubernetes.io/name"] = "x" })
            .Set("empty", new Dictionary<string, object>());
        const string Expected =
            """
            # A section.
            a:
              # Words word word word word word word word word word word word word word word word word word word word word word
              # word word word word
              text: "8080"
              number: 3
              flag: true
              list:
                - "x"
                - 1
              nothing: []
            map:
              kubernetes.io/name: "x"
            empty: {}

            """;
        Assert.Equal(Expected, values.ToYaml());
        // A publisher's values are taken over key by key.
        Assert.Equal(Expected.Replace("\"8080\"", "\"9090\"", StringComparison.Ordinal) + "b:\n  new: \"1\"\n", values.Take("a:\n  text: 9090\nb:\n  new: 1\n").ToYaml());
    }

    [Theory]
    [InlineData("  replicas: 1\n", "  replicas: 1\n")]
    [InlineData("  '{{ if .Values.a }} key': \"\"\n  key: 1\n  '{{ end }} key': \"\"\n", "  {{- if .Values.a }}\n  key: 1\n  {{- end }}\n")]
    [InlineData("  - \"{{ range .Values.a }}\"\n  - name: \"{{ . }}\"\n  - \"{{ end }}\"\n", "  {{- range .Values.a }}\n  - name: \"{{ . }}\"\n  {{- end }}\n")]
    [InlineData("  - {{ if .Values.a }}\n  - \"x\"\n  - \"{{ end }}\"\n", "  {{- if .Values.a }}\n  - \"x\"\n  {{- end }}\n")]
    [InlineData("  a: \"{{ toYaml .Values.a }}\"\n", "  a: {{- toYaml .Values.a | nindent 4 }}\n")]
    [InlineData("  - a: \"{{ toYaml .a }}\"\n", "  - a: {{- toYaml .a | nindent 6 }}\n")]
    [InlineData("when: {{ if .Values.a }}\n---\nkind: \"A\"\n", "{{- if .Values.a }}\n---\nkind: \"A\"\n{{- end }}\n")]
    [InlineData("---\nwhen: {{ if .Values.a }}\nkind: \"A\"\n", "{{- if .Values.a }}\n---\nkind: \"A\"\n{{- end }}\n")]
    [InlineData("  '{{ $name }}': \"{{ $value }}\"\n", "  '{{ $name }}': \"{{ $value }}\"\n")]
    [InlineData("  a: {{ if .Values.a }}1{{ else }}null{{ end }}\n", "  a: {{ if .Values.a }}1{{ else }}null{{ end }}\n")]
    public void What_is_said_as_data_becomes_a_template(string published, string expected) => Assert.Equal(expected, TemplateText.Complete(published));
}
