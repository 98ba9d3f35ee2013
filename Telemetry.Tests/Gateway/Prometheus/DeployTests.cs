using System.Text.Json;
using System.Text.RegularExpressions;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Streamer.Sources;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Gateway.Prometheus;

/// <summary>What deploy/ has for Grafana and Prometheus fits what the services have.</summary>
public sealed partial class DeployTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private static readonly string Folder = Path.Combine(Repository.Root, "deploy");

    private static readonly string GpuAlerts = Path.Combine(Folder, "prometheus", "gpu-alerts.yml");

    private static readonly string PipelineAlerts = Path.Combine(Folder, "prometheus", "alerts.yml");

    [Fact]
    public async Task Every_query_of_the_dashboard_runs_against_the_gateway()
    {
        var panels = Dashboard().GetProperty("panels").EnumerateArray().ToList();
        var queries = panels.SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!).ToList();
        Assert.True(queries.Count >= 10);
        foreach (var query in queries)
        {
            // What Grafana fills in.
            var filled = query.Replace("$host", ".+", StringComparison.Ordinal).Replace("$__rate_interval", "1m", StringComparison.Ordinal);
            Assert.DoesNotContain("$", filled, StringComparison.Ordinal);
            await RunsAsync(filled);
            Assert.All(Metrics(filled), name => Assert.NotNull(MetricCatalog.Find(name)));
        }
        Assert.Equal(panels.Count, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
    }

    [Fact]
    public async Task The_dashboard_is_imported_with_a_data_source_of_ones_choice()
    {
        var dashboard = Dashboard();
        var input = Assert.Single(dashboard.GetProperty("__inputs").EnumerateArray());
        Assert.Equal(("DS_PROMETHEUS", "datasource", "prometheus"), (Text(input, "name"), Text(input, "type"), Text(input, "pluginId")));
        var sources = DataSource().Matches(dashboard.GetRawText()).Select(m => m.Groups[1].Value).ToList();
        Assert.True(sources.Count > 10);
        Assert.All(sources, uid => Assert.Equal("${DS_PROMETHEUS}", uid));
        var variable = Assert.Single(dashboard.GetProperty("templating").GetProperty("list").EnumerateArray());
        Assert.Equal("label_values(gpu_utilization, host_id)", Text(variable, "definition"));
        var hosts = await fleet.Server.GetAsync("/prometheus/api/v1/label/host_id/values?match[]=gpu_utilization");
        Assert.Equal(["node-a"], hosts.GetProperty("data").EnumerateArray().Select(h => h.GetString()));
    }

    [Fact]
    public async Task Rules_of_gpus_run_against_the_gateway()
    {
        var rules = Expressions(GpuAlerts);
        Assert.True(rules.Count >= 5);
        foreach (var rule in rules)
        {
            await RunsAsync(rule);
            Assert.All(Metrics(rule), name => Assert.NotNull(MetricCatalog.Find(name)));
        }
    }

    [Fact]
    public void Rules_of_the_pipeline_name_only_metrics_that_services_expose()
    {
        // The README's table of metrics is held against the code by a test of its own.
        var exposed = File.ReadLines(Path.Combine(Repository.Root, "README.md")).Where(l => l.StartsWith("| `telemetry_pipeline_", StringComparison.Ordinal))
            .SelectMany(l => PipelineMetric().Matches(l)).Select(m => m.Value).ToHashSet();
        var rules = Expressions(PipelineAlerts);
        Assert.True(rules.Count >= 8);
        foreach (var rule in rules)
        {
            var names = PipelineMetric().Matches(rule).Select(m => m.Value).ToList();
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.Contains(name.Replace("_bucket", "", StringComparison.Ordinal), exposed));
        }
    }

    [Fact]
    public Task Prometheus_itself_accepts_the_rules() => RealPrometheus.RunToolAsync("check", "rules", PipelineAlerts, GpuAlerts);

    [Fact]
    public Task The_rules_fire_when_they_should_and_only_then() =>
        RealPrometheus.RunToolAsync("test", "rules", Path.Combine(Repository.Root, "Telemetry.Tests", "Gateway", "Prometheus", "alerts-test.yml"));

    private async Task RunsAsync(string query)
    {
        var time = FleetFixture.Now.ToUnixTimeSeconds();
        foreach (var request in new[] { $"query?time={time}&query=", $"query_range?start={time - 600}&end={time}&step=30&query=" })
        {
            var answer = await fleet.Server.GetAsync($"/prometheus/api/v1/{request}{Uri.EscapeDataString(query)}");
            Assert.Equal("success", Text(answer, "status"));
        }
    }

    private static JsonElement Dashboard() => JsonElement.Parse(File.ReadAllText(Path.Combine(Folder, "grafana", "dashboard.json")));

    private static List<string> Expressions(string file) => [.. File.ReadLines(file).Select(l => Expr().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value)];

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    /// <summary>The metrics that a query names.</summary>
    private static IEnumerable<string> Metrics(string query) => Of(Parser.Parse(query)).Distinct();

    private static IEnumerable<string> Of(Expression expression) => expression switch
    {
        Selector selector => selector.Matchers.Where(m => m.Label == "__name__").Select(m => m.Value),
        Call call => call.Arguments.SelectMany(Of),
        Aggregate aggregate => Of(aggregate.Of),
        Binary binary => Of(binary.Left).Concat(Of(binary.Right)),
        Negation negation => Of(negation.Of),
        _ => [],
    };

    [GeneratedRegex("^ +expr: (.+)$")]
    private static partial Regex Expr();

    [GeneratedRegex("telemetry_pipeline_[a-z_]+")]
    private static partial Regex PipelineMetric();

    [GeneratedRegex("\"datasource\":\\s*\\{\\s*\"type\":\\s*\"prometheus\",\\s*\"uid\":\\s*\"([^\"]+)\"")]
    private static partial Regex DataSource();
}
