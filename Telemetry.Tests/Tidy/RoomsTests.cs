using System.Reflection;
using System.Xml.Linq;

namespace Telemetry.Tests.Tidy;

/// <summary>Who may know whom: the table of the architecture, read from the project files.</summary>
public sealed class RoomsTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["AppHost"] = ["Broker", "Streamer", "Collector", "Gateway", "Hosting"],
        ["Hosting"] = [],
        ["ServiceDefaults"] = [],
        ["Messaging"] = [],
        ["Storage"] = [],
        ["Broker"] = ["Messaging", "ServiceDefaults"],
        ["Streamer"] = ["Messaging", "ServiceDefaults"],
        ["Collector"] = ["Messaging", "ServiceDefaults", "Storage"],
        ["Gateway"] = ["Messaging", "ServiceDefaults", "Storage"],
    };

    public static TheoryData<string> Rooms => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_only_the_rooms_it_may_know(string room)
    {
        var references = References(room);
        Assert.Empty(references.Except(Allowed[room]));
    }

    [Fact]
    public void The_app_host_knows_the_services_as_resources_only()
    {
        var referenced = Assembly.Load("Telemetry.AppHost").GetReferencedAssemblies().Select(assembly => assembly.Name!);
        Assert.DoesNotContain(referenced, name => name is "Telemetry.Broker" or "Telemetry.Streamer" or "Telemetry.Collector" or "Telemetry.Gateway");
    }

    [Fact]
    public void The_contract_of_the_queue_is_compiled_once()
    {
        var compiled = Repository.SourceFiles("*.csproj").Where(file => XDocument.Load(file).Descendants("Protobuf").Any());
        Assert.Equal("Telemetry.Messaging.csproj", Path.GetFileName(Assert.Single(compiled)));
    }

    [Fact]
    public void Only_the_app_host_and_the_tests_name_aspire()
    {
        var offenders = Repository.SourceFiles()
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => file.Split(Path.DirectorySeparatorChar)[0] is not ("Telemetry.AppHost" or "Telemetry.Hosting" or "Telemetry.Tests" or "Telemetry.Tests.Probe"))
            .Where(file => File.ReadAllText(Path.Combine(Repository.Root, file)).Contains("Aspire.Hosting", StringComparison.Ordinal));
        Assert.Empty(offenders);
    }

    private static string[] References(string room) =>
        [.. XDocument.Load(ProjectFile(room)).Descendants("ProjectReference").Select(RoomOf)];

    private static string RoomOf(XElement reference) =>
        Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')).Replace("Telemetry.", "", StringComparison.Ordinal);

    private static string ProjectFile(string room) => Path.Combine(Repository.Root, $"Telemetry.{room}", $"Telemetry.{room}.csproj");
}
