using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Kubernetes;

/// <summary>The images that <c>dotnet publish -t:PublishContainer</c> makes, from a base image of a registry on this machine.</summary>
[Collection(PublishedChart.Collection)]
public sealed class ImagesTests(PublishedChart chart) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-images-");

    public static TheoryData<string> Services => ["broker", "streamer", "collector", "gateway"];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task The_chart_asks_for_the_image_that_the_project_makes(string service)
    {
        var properties = await PropertiesAsync(service);
        var image = $"{properties.GetProperty("ContainerRepository")}:{properties.GetProperty("ContainerImageTag")}";
        Assert.Equal(image, (await chart.RenderAsync(Overrides.Default)).Of(service).Container.Image);
        Assert.Equal(properties.GetProperty("ContainerUser").GetString(), $"{(await chart.RenderAsync(Overrides.Default)).Of(service).Pod.SecurityContext.RunAsUser}");
        // An exact version, of the kind without a shell and without root, of the runtime that these tests run on or an older one.
        var tag = properties.GetProperty("ContainerBaseImage").GetString()!.Split("mcr.microsoft.com/dotnet/aspnet:")[1];
        Assert.EndsWith("-noble-chiselled", tag, StringComparison.Ordinal);
        Assert.Equal(Environment.Version.Major, Version.Parse(tag.Split('-')[0]).Major);
        Assert.Equal(3, tag.Split('-')[0].Split('.').Length);
    }

    [Theory]
    [InlineData("streamer", "linux-x64", "amd64")]
    [InlineData("collector", "linux-arm64", "arm64")]
    public async Task An_image_has_the_service_a_user_ports_and_labels(string service, string runtime, string architecture)
    {
        await using var registry = await BaseImageRegistry.StartAsync();
        var archive = Path.Combine(_folder.FullName, "image.tar");
        await PublishAsync(service, runtime, registry.Address, $"-p:ContainerArchiveOutputPath={archive}");
        var image = await ImageArchive.ReadAsync(archive);
        var config = image.Configuration.GetProperty("config");

        Assert.Equal(architecture, image.Configuration.GetProperty("architecture").GetString());
        Assert.Equal([$"telemetry-{service}:{ProductVersion()}"], image.Tags);
        Assert.Equal("1654", config.GetProperty("User").GetString());
        Assert.Equal(["dotnet", $"/app/Telemetry.{Name(service)}.dll"], Command(config));
        Assert.Equal(Ports(service).Order(), config.GetProperty("ExposedPorts").EnumerateObject().Select(port => port.Name).Order());

        var labels = config.GetProperty("Labels").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!);
        Assert.Equal($"GPU telemetry pipeline: {service}", labels["org.opencontainers.image.title"]);
        Assert.NotEmpty(labels["org.opencontainers.image.description"]);
        Assert.Equal(ProductVersion(), labels["org.opencontainers.image.version"]);
        Assert.Equal("MIT", labels["org.opencontainers.image.licenses"]);

        Assert.Contains("/etc/base", image.Files.Keys);
        Assert.Contains($"/app/Telemetry.{Name(service)}.dll", image.Files.Keys);
        Assert.Equal(service == "streamer", image.Files.ContainsKey("/app/samples/telemetry.csv"));
        var native = image.Files.Keys.Where(file => file.StartsWith("/app/runtimes/", StringComparison.Ordinal) && file.EndsWith(".so", StringComparison.Ordinal));
        Assert.Equal(service == "collector" ? [$"/app/runtimes/{runtime}/native/libe_sqlite3.so"] : [], native);
        // The container's file system is read-only and its user is not root: everything must be readable by others.
        Assert.All(image.Files.Values.Where(file => file.Name.Contains("app/", StringComparison.Ordinal)), file => Assert.True(file.Mode.HasFlag(UnixFileMode.OtherRead), file.Name));
    }

    [Fact]
    public async Task An_image_is_pushed_to_the_registry_under_the_name_that_the_chart_asks_for()
    {
        await using var registry = await BaseImageRegistry.StartAsync();
        await PublishAsync("gateway", "linux-x64", registry.Address, $"-p:ContainerRegistry={registry.Address}", "-p:ImagePrefix=team/");

        var manifest = registry.Pushed("team/telemetry-gateway", ProductVersion());
        Assert.NotNull(manifest);
        Assert.True(registry.Has(manifest.Value.GetProperty("config").GetProperty("digest").GetString()!));
        var layers = manifest.Value.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal(2, layers.Count);
        Assert.All(layers, layer => Assert.True(registry.Has(layer.GetProperty("digest").GetString()!)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Makes an image of what is built already.</summary>
    private async Task PublishAsync(string service, string runtime, string registry, params string[] properties)
    {
        var result = await Tool.DotnetAsync(
            [
                "publish", Project(service), "--no-build", "--configuration", Configuration(), "-t:PublishContainer", "-nologo",
                $"-p:PublishDir={Path.Combine(_folder.FullName, "publish")}/",
                $"-p:ContainerBaseImage={registry}/dotnet/aspnet:base",
                $"-p:ContainerRuntimeIdentifier={runtime}",
                .. properties,
            ],
            ("DOTNET_CONTAINER_INSECURE_REGISTRIES", registry),
            ("TMPDIR", _folder.FullName));
        result.Succeeded();
    }

    private static async Task<JsonElement> PropertiesAsync(string service)
    {
        var result = await Tool.DotnetAsync(["msbuild", Project(service), "-getProperty:ContainerRepository,ContainerImageTag,ContainerUser,ContainerBaseImage"]);
        return JsonDocument.Parse(result.Succeeded()).RootElement.GetProperty("Properties");
    }

    private static IEnumerable<string> Command(JsonElement config) =>
        new[] { "Entrypoint", "Cmd" }
            .SelectMany(name => config.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Array ? part.EnumerateArray().ToList() : [])
            .Select(word => word.GetString()!);

    /// <summary>The ports that a service listens on when it is told nothing.</summary>
    private static IEnumerable<string> Ports(string service)
    {
        var options = Assembly.Load($"Telemetry.{Name(service)}").GetTypes().Single(type => type.IsSubclassOf(typeof(ServiceOptions)));
        return SettingDescription.Of(Activator.CreateInstance(options)!)
            .Where(setting => setting.Name is "PORT" or "METRICS_PORT")
            .Select(setting => setting.DefaultText + "/tcp");
    }

    private static string ProductVersion() => typeof(ServiceOptions).Assembly.GetName().Version!.ToString(3);

    private static string Configuration() => typeof(ImagesTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static string Name(string service) => string.Create(CultureInfo.InvariantCulture, $"{char.ToUpperInvariant(service[0])}{service[1..]}");

    private static string Project(string service) => Path.Combine(Repository.Root, $"Telemetry.{Name(service)}", $"Telemetry.{Name(service)}.csproj");
}
