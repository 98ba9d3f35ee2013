using System.Net;
using System.Net.Sockets;
using System.Xml.Linq;
using Aspire.Hosting;
using Telemetry.Hosting;

namespace Telemetry.Tests.Hosting;

public sealed class AppHostTests
{
    private static readonly string Repository = Path.GetDirectoryName(Projects.Telemetry_AppHost.ProjectPath)!;

    public static TheoryData<IProjectMetadata, string> Services => new()
    {
        { new Projects.Telemetry_Broker(), "Telemetry.Broker" },
        { new Projects.Telemetry_Collector(), "Telemetry.Collector" },
        { new Projects.Telemetry_Gateway(), "Telemetry.Gateway" },
        { new Projects.Telemetry_Streamer(), "Telemetry.Streamer" },
    };

    [Theory]
    [MemberData(nameof(Services), DisableDiscoveryEnumeration = true)]
    public void Each_service_is_a_class_that_knows_its_project_and_what_was_built_of_it(IProjectMetadata service, string name)
    {
        Assert.Equal(Path.Combine(Repository, name, name + ".csproj"), service.ProjectPath);
        Assert.True(service.SuppressBuild);
        var assembly = Assert.IsType<IBuiltProject>(service, exactMatch: false).AssemblyPath;
        Assert.True(File.Exists(assembly), assembly);
        // The same configuration as this test's own: …/bin/Debug/net10.0/
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        Assert.Equal(Path.Combine(Repository, name, "bin", configuration, "net10.0", name + ".dll"), assembly);
    }

    [Fact]
    public void The_AppHost_does_not_name_its_host()
    {
        var code = File.ReadLines(Path.Combine(Projects.Telemetry_AppHost.ProjectPath, "AppHost.cs"))
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(code);
        Assert.DoesNotContain(code, line => line.TrimStart().StartsWith('#') || line.Contains("Telemetry.Hosting", StringComparison.Ordinal));
    }

    [Fact]
    public void The_project_chooses_its_host_before_it_chooses_its_SDK()
    {
        var project = XDocument.Load(Path.Combine(Projects.Telemetry_AppHost.ProjectPath, "Telemetry.AppHost.csproj")).Root!;
        // An SDK attribute or element would be looked for whatever its condition says.
        Assert.Null(project.Attribute("Sdk"));
        Assert.Empty(project.Descendants("Sdk"));
        Assert.Equal("Aspire.props", project.Elements().First().Attribute("Project")!.Value);

        var sdks = project.Elements("Import").Where(import => import.Attribute("Sdk") is not null).ToList();
        Assert.Equal(["Sdk.props", "Sdk.props", "Sdk.targets", "Sdk.targets"], sdks.Select(sdk => sdk.Attribute("Project")!.Value));
        Assert.All(sdks, sdk => Assert.Equal(
            sdk.Attribute("Sdk")!.Value == "Aspire.AppHost.Sdk" ? "'$(UseAspire)' == 'true'" : "'$(UseAspire)' != 'true'", sdk.Attribute("Condition")!.Value));
    }

    [Fact]
    public void No_Aspire_package_is_asked_for_where_Aspire_is_not_used()
    {
        var files = Directory.EnumerateFiles(Repository, "*.csproj", SearchOption.AllDirectories).Append(Path.Combine(Repository, "Directory.Packages.props"));
        var packages = files.SelectMany(file => XDocument.Load(file).Descendants())
            .Where(element => element.Name.LocalName is "PackageReference" or "PackageVersion" && element.Attribute("Include")?.Value.StartsWith("Aspire.", StringComparison.Ordinal) == true)
            .ToList();
        Assert.NotEmpty(packages);
        Assert.All(packages, package => Assert.StartsWith("'$(UseAspire)' == 'true'", package.Parent!.Attribute("Condition")?.Value ?? "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--Streamers=0", "apphost: Streamers: '0' is not accepted: expected a whole number from 1 to 16")]
    [InlineData("--Collectors=many", "apphost: Collectors: 'many' is not accepted: expected a whole number from 1 to 16")]
    [InlineData("--GatewayPort=70000", "apphost: GatewayPort: '70000' is not accepted: expected a whole number from 1 to 65535")]
    [InlineData("--DataFolder=", "apphost: DataFolder: '' is not accepted: expected a path")]
    [InlineData("--DataFolder=/dev/null/run", "apphost: DataFolder: '/dev/null/run' cannot be made: *")]
    [InlineData("--BrokerFolder=/dev/null/log", "apphost: BrokerFolder: '/dev/null/log' cannot be made: *")]
    [InlineData("--CsvFile=/nowhere/rows.csv", "apphost: CsvFile: '/nowhere/rows.csv' does not exist: expected a file, a folder or a glob")]
    [InlineData("--operation=destroy", "apphost: --operation: 'destroy' is not accepted: expected run or publish")]
    public async Task A_setting_that_cannot_be_used_is_one_line_and_exit_code_2(string argument, string expected)
    {
        using var folder = new TemporaryFolder();
        // Of a flag that is given twice, the last one counts.
        await using var host = HostProcess.OfTheSystem($"--DataFolder={folder.Path}", argument);
        Assert.Equal(2, await host.EndAsync());
        var line = Assert.Single(host.Errors.Lines);
        Assert.True(expected.EndsWith('*') ? line.StartsWith(expected[..^1], StringComparison.Ordinal) : line == expected, line);
        Assert.Empty(host.Output.Lines);
    }

    [Fact]
    public async Task The_gateways_port_in_use_is_named_with_its_flag()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            await using var host = HostProcess.OfTheSystem($"--GatewayPort={port}", $"--DataFolder={Path.Combine(folder.FullName, "run")}");
            Assert.Equal(1, await host.EndAsync());
            Assert.Matches($"^apphost: port {port} is in use by another program .*: --GatewayPort=[0-9]+$", Assert.Single(host.Errors.Lines));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-apphost-");

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
