namespace Telemetry.Tests.Kubernetes;

/// <summary>The chart as the command of the README publishes it, once for all tests, and what Helm makes of it.</summary>
public sealed class PublishedChart : IAsyncLifetime
{
    /// <summary>The tests that share it.</summary>
    public const string Collection = "the published chart";

    /// <summary>The release that is rendered.</summary>
    public const string Release = "fleet";

    private readonly Dictionary<string, Rendered> _rendered = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-chart-");

    /// <summary>The chart's folder.</summary>
    public string Folder => Path.Combine(_folder.FullName, "chart");

    public async ValueTask InitializeAsync() => await PublishAsync(Folder);

    /// <summary>Publishes the chart into a folder.</summary>
    internal static async Task PublishAsync(string folder)
    {
        var result = await Tool.DotnetAsync(
            ["exec", Path.Combine(AppContext.BaseDirectory, "Telemetry.AppHost.dll"), "--operation", "publish", "--step", "publish", "--output-path", folder]);
        result.Succeeded();
    }

    /// <summary>What would be installed with an override file of <see cref="Overrides"/>.</summary>
    internal async Task<Rendered> RenderAsync(string overrides)
    {
        if (!_rendered.TryGetValue(overrides, out var rendered))
            _rendered[overrides] = rendered = Rendered.Parse(await RenderTextAsync(Overrides.Files[overrides]));
        return rendered;
    }

    /// <summary>What Helm writes with some values.</summary>
    internal async Task<string> RenderTextAsync(string values) => (await HelmAsync("template", values)).Succeeded();

    /// <summary>Runs a command of Helm on the chart with some values.</summary>
    internal async Task<ToolResult> HelmAsync(string command, string values)
    {
        var file = Write("values.yaml", values);
        return command switch
        {
            "lint" => await Tool.HelmAsync("lint", Folder, "--strict", "--values", file),
            "install" => await Tool.HelmAsync("install", Release, Folder, "--dry-run=client", "--namespace", "telemetry", "--values", file),
            _ => await Tool.HelmAsync(command, Release, Folder, "--namespace", "telemetry", "--values", file),
        };
    }

    /// <summary>A file beside the chart.</summary>
    internal string Write(string name, string text)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}

[CollectionDefinition(PublishedChart.Collection)]
public sealed class PublishedChartTests : ICollectionFixture<PublishedChart>;
