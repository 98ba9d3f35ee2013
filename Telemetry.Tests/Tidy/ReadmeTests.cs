using System.Reflection;
using Telemetry.Gateway.Endpoints;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Tidy;

/// <summary>The README tells the truth about what the programs themselves know.</summary>
public sealed class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    public static TheoryData<string> Services => ["Broker", "Streamer", "Collector", "Gateway"];

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_setting_is_in_the_readme_with_its_default(string service)
    {
        var options = Assembly.Load($"Telemetry.{service}").GetTypes().Single(type => type.IsSubclassOf(typeof(ServiceOptions)));
        var missing = SettingDescription.Of(Activator.CreateInstance(options)!)
            .Where(setting => !Readme.Split('\n').Any(line => IsRowOf(line, service, setting)))
            .Select(setting => $"{service} {setting.Name} (default {setting.DefaultText})");
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_setting_of_the_readme_exists()
    {
        var known = Services.SelectMany(service => Assembly.Load($"Telemetry.{service.Data}").GetTypes())
            .Where(type => type.IsSubclassOf(typeof(ServiceOptions)))
            .SelectMany(type => SettingDescription.Of(Activator.CreateInstance(type)!))
            .Select(setting => setting.Name)
            .ToHashSet();
        var named = Rows().SelectMany(row => row[2].Split(',', StringSplitOptions.TrimEntries)).Select(name => name.Trim('`'));
        Assert.Empty(named.Except(known));
    }

    [Fact]
    public void Every_metric_of_the_readme_is_an_instrument_of_the_code()
    {
        var code = string.Concat(Repository.SourceFiles().Where(file => file.EndsWith("Metrics.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        var names = Readme.Split('\n').Where(line => line.StartsWith("| `telemetry_pipeline_", StringComparison.Ordinal))
            .SelectMany(line => line.Split('|')[1].Split(',', StringSplitOptions.TrimEntries))
            .Select(name => name.Trim('`'))
            .ToList();
        Assert.NotEmpty(names);
        Assert.DoesNotContain(names, name => !IsInstrument(name, code));
    }

    [Fact]
    public void Every_route_is_in_the_readme_with_its_parameters()
    {
        var rows = Readme.Split('\n').Where(line => line.StartsWith("| `GET", StringComparison.Ordinal)).ToList();
        var missing = GatewayRoutes.All.SelectMany(route =>
        {
            // Routes of Prometheus stand in one row, by the ends of their paths.
            var name = route.Path.Replace("/prometheus/api/v1/", "", StringComparison.Ordinal);
            var row = rows.Find(row => row.Contains($"`{name}`", StringComparison.Ordinal) || row.Contains($" {name}`", StringComparison.Ordinal) || row.Contains($"/{name}`", StringComparison.Ordinal));
            return row is null ? [route.Path]
                : route.Path.StartsWith("/prometheus", StringComparison.Ordinal) ? []
                : route.Parameters.Where(p => !p.InPath && !row.Contains(p.Name, StringComparison.Ordinal)).Select(p => $"{route.Path} {p.Name}");
        });
        Assert.Empty(missing);
    }

    /// <summary>Whether the code has the name in whole, or without the prefix that a class gives to all of its instruments.</summary>
    private static bool IsInstrument(string name, string code)
    {
        var parts = name.Split('_', 4); // telemetry, pipeline, service, the rest
        return code.Contains($"\"{name}\"", StringComparison.Ordinal)
            || (code.Contains($"\"telemetry_pipeline_{parts[2]}_\"", StringComparison.Ordinal)
                && (code.Contains($"\"{parts[3]}\"", StringComparison.Ordinal)
                    || code.Contains($"\"{parts[3].Replace("_total", "", StringComparison.Ordinal)}\"", StringComparison.Ordinal)));
    }

    /// <summary>Rows of the settings table: service, settings, defaults, meaning.</summary>
    private static IEnumerable<string[]> Rows() =>
        Readme.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(row => row.Length > 4 && row[1] is "all" or "all but the gateway" or "broker" or "streamer" or "collector" or "gateway")
            .Where(row => row[2].StartsWith('`'));

    private static bool IsRowOf(string line, string service, SettingDescription setting)
    {
        var row = line.Split('|', StringSplitOptions.TrimEntries);
        if (row.Length <= 4 || !row[2].Split(',', StringSplitOptions.TrimEntries).Contains($"`{setting.Name}`"))
            return false;
        var services = row[1] switch
        {
            "all" => ["Broker", "Streamer", "Collector", "Gateway"],
            "all but the gateway" => ["Broker", "Streamer", "Collector"],
            var one => new[] { char.ToUpperInvariant(one[0]) + one[1..] },
        };
        return services.Contains(service) && row[3].Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries).Contains(setting.DefaultText);
    }
}
