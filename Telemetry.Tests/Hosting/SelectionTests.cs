using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Telemetry.Tests.Tidy;

namespace Telemetry.Tests.Hosting;

/// <summary>Which host AppHost.cs is compiled against, asked of MSBuild itself on machines that are made up.</summary>
public sealed class SelectionTests : IDisposable
{
    private static readonly string Version = XDocument.Load(Path.Combine(AppHost, "Aspire.props")).Descendants("AspireVersion").Single().Value;

    private readonly DirectoryInfo _machine = Directory.CreateTempSubdirectory("telemetry-selection-");

    public SelectionTests()
    {
        Directory.CreateDirectory(Home);
        Directory.CreateDirectory(Packages);
        // No package source at all: whatever is asked for fails.
        Write("home/.nuget/NuGet/NuGet.Config", "<configuration><packageSources><clear /></packageSources></configuration>");
    }

    private string Home => Path.Combine(_machine.FullName, "home");

    private string Packages => Path.Combine(_machine.FullName, "packages");

    private static string AppHost => Path.Combine(Repository.Root, "Telemetry.AppHost");

    [Fact]
    public async Task A_machine_without_Aspire_gets_the_embedded_host()
    {
        Assert.Equal("false", await SelectedAsync());
        WriteSdk("13.1.0");
        Assert.Equal("false", await SelectedAsync());
    }

    [Fact]
    public async Task The_SDK_in_the_NuGet_folder_selects_Aspire_and_its_SDK()
    {
        WriteSdk(Version);
        Assert.Equal("true", await SelectedAsync());
        var (_, output) = await MsbuildAsync(AppHost, "-getProperty:UseAspire", "-getProperty:SdkOfTest", "-getProperty:RestorePackagesWithLockFile");
        using var properties = JsonDocument.Parse(output);
        var property = properties.RootElement.GetProperty("Properties");
        Assert.Equal(
            ("true", "aspire", "false"),
            (property.GetProperty("UseAspire").GetString(), property.GetProperty("SdkOfTest").GetString(), property.GetProperty("RestorePackagesWithLockFile").GetString()));
    }

    [Theory]
    [InlineData("home/.aspire/bin/aspire")]
    [InlineData("home/.dotnet/tools/aspire")]
    [InlineData("home/.aspire/bin/aspire.exe")]
    public async Task The_Aspire_CLI_selects_Aspire(string cli)
    {
        Write(cli, "");
        Assert.Equal("true", await SelectedAsync());
    }

    [Fact]
    public async Task The_property_forces_either()
    {
        Assert.Equal("true", await SelectedAsync("-p:UseAspire=true"));
        WriteSdk(Version);
        Write("home/.aspire/bin/aspire", "");
        Assert.Equal("false", await SelectedAsync("-p:UseAspire=false"));
        var (exitCode, output) = await MsbuildAsync(AppHost, "-getProperty:UseAspire", "-p:UseAspire=false");
        Assert.Equal((0, "false"), (exitCode, output));
    }

    [Fact]
    public async Task Aspire_that_is_forced_and_missing_is_named()
    {
        var (exitCode, output) = await MsbuildAsync(AppHost, "-getProperty:UseAspire", "-p:UseAspire=true");
        Assert.Equal(1, exitCode);
        Assert.Contains($"The SDK 'Aspire.AppHost.Sdk/{Version}' specified could not be found.", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Telemetry.AppHost")]
    [InlineData("Telemetry.Tests")]
    public async Task The_embedded_side_asks_for_no_Aspire_package(string project)
    {
        WriteSdk(Version);
        var graph = Path.Combine(_machine.FullName, "graph.json");
        var (exitCode, output) = await MsbuildAsync(
            Path.Combine(Repository.Root, project), "-t:GenerateRestoreGraphFile", $"-p:RestoreGraphOutputPath={graph}", "-p:UseAspire=false");
        Assert.True(exitCode == 0, output);
        var text = await File.ReadAllTextAsync(graph, TestContext.Current.CancellationToken);
        Assert.Contains("Telemetry.Hosting", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"Aspire.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void No_lock_file_has_an_Aspire_package()
    {
        var locks = Repository.SourceFiles("packages.lock.json").ToList();
        Assert.NotEmpty(locks);
        Assert.All(locks, file => Assert.DoesNotContain("\"Aspire.", File.ReadAllText(file), StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("Telemetry.AppHost")]
    [InlineData("Telemetry.Broker")]
    public async Task A_program_that_is_run_from_its_project_keeps_the_folder_of_the_caller(string project)
    {
        var (_, output) = await MsbuildAsync(Path.Combine(Repository.Root, project), "-getProperty:EnableDefaultRunWorkingDirectory", "-getProperty:RunWorkingDirectory", "-p:UseAspire=false");
        using var properties = JsonDocument.Parse(output);
        Assert.Equal("", properties.RootElement.GetProperty("Properties").GetProperty("RunWorkingDirectory").GetString());
        Assert.Equal("false", properties.RootElement.GetProperty("Properties").GetProperty("EnableDefaultRunWorkingDirectory").GetString());
    }

    public void Dispose() => _machine.Delete(recursive: true);

    private async Task<string> SelectedAsync(params string[] args)
    {
        var (exitCode, output) = await MsbuildAsync(Path.Combine(AppHost, "Aspire.props"), ["-getProperty:UseAspire", .. args]);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private async Task<(int ExitCode, string Output)> MsbuildAsync(string project, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _machine.FullName };
        foreach (var arg in (string[])["msbuild", project, "-nologo", "-nodeReuse:false", .. args])
            start.ArgumentList.Add(arg);
        foreach (var (name, value) in new[] { ("HOME", Home), ("USERPROFILE", Home), ("NUGET_PACKAGES", Packages), ("DOTNET_CLI_HOME", Home), ("DOTNET_NOLOGO", "1") })
            start.Environment[name] = value;
        start.Environment.Remove("UseAspire");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, (await output + await errors).Trim());
    }

    /// <summary>A package as NuGet unpacks it: the SDK of .NET, and a property to know it by.</summary>
    private void WriteSdk(string version)
    {
        var folder = $"packages/aspire.apphost.sdk/{version}";
        Write($"{folder}/Sdk/Sdk.props", "<Project><PropertyGroup><SdkOfTest>aspire</SdkOfTest></PropertyGroup><Import Project=\"Sdk.props\" Sdk=\"Microsoft.NET.Sdk\" /></Project>");
        Write($"{folder}/Sdk/Sdk.targets", "<Project><Import Project=\"Sdk.targets\" Sdk=\"Microsoft.NET.Sdk\" /></Project>");
        Write($"{folder}/.nupkg.metadata", "{ \"version\": 2, \"contentHash\": \"\", \"source\": null }");
        Write($"{folder}/aspire.apphost.sdk.{version}.nupkg.sha512", "");
    }

    private void Write(string path, string text)
    {
        var file = new FileInfo(Path.Combine(_machine.FullName, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }
}
