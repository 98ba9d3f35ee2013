using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;

namespace Telemetry.Tests.Gateway;

/// <summary>The document as others use it: it is committed, it is clean by a linter's rules, and a client can be generated from it.</summary>
public sealed class OpenApiDocumentTests(FleetFixture fleet) : IClassFixture<FleetFixture>
{
    private const string Spectral = "spectral";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static string Committed => Path.Combine(Tidy.Repository.Root, "Telemetry.Gateway", "openapi.json");

    [Fact]
    public async Task The_document_is_the_committed_one()
    {
        // A change of the API shows in a review. To write it anew: TELEMETRY_UPDATE_SNAPSHOTS=true.
        var served = (await DocumentAsync()).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("TELEMETRY_UPDATE_SNAPSHOTS") == "true")
            await File.WriteAllTextAsync(Committed, served, Cancelled);
        Assert.Equal((await File.ReadAllTextAsync(Committed, Cancelled)).ReplaceLineEndings("\n"), served);
    }

    [Fact]
    public async Task The_document_lints_clean_by_the_oas_rules()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Spectral))))
            Assert.Skip("there is no spectral on the PATH: npm install -g @stoplight/spectral-cli");
        var folder = Directory.CreateTempSubdirectory("openapi-");
        try
        {
            var document = Path.Combine(folder.FullName, "openapi.json");
            var rules = Path.Combine(folder.FullName, "rules.yaml");
            await File.WriteAllTextAsync(document, await DocumentAsync(), Cancelled);
            await File.WriteAllTextAsync(rules, "extends: [\"spectral:oas\"]\n", Cancelled);
            using var lint = Process.Start(new ProcessStartInfo(Spectral, ["lint", "--ruleset", rules, "--fail-severity", "hint", document]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (said, wrong) = (lint.StandardOutput.ReadToEndAsync(Cancelled), lint.StandardError.ReadToEndAsync(Cancelled));
            await lint.WaitForExitAsync(Cancelled);
            Assert.True(lint.ExitCode == 0, await said + await wrong);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_client_generated_from_it_works()
    {
        var client = await ClientAsync();

        var records = await CallAsync(client, "ListTelemetryAsync", ("host_id", "node-a"), ("page_size", 2));
        var data = ((System.Collections.IEnumerable)Get(records, "Data")!).Cast<object>().ToList();
        Assert.Equal(2, data.Count);
        Assert.Equal("node-a", Get(data[0], "Host_id"));
        Assert.Equal(120L, Get(Get(records, "Pagination")!, "Total"));

        var latest = await CallAsync(client, "GetLatestAsync");
        var states = ((System.Collections.IEnumerable)Get(latest, "Data")!).Cast<object>().Select(d => Get(d, "State")!.ToString());
        Assert.Equal(["Active", "Idle_held", "Lost"], states);

        var fleetGpus = await CallAsync(client, "GetFleetAsync");
        Assert.Equal(3, Get(fleetGpus, "Total"));
        Assert.Equal(["GPU-a0", "GPU-a1", null], ((System.Collections.IEnumerable)Get(fleetGpus, "Uuid")!).Cast<string?>());

        foreach (var method in new[] { "GetInsightsAsync", "GetUsageAsync", "GetRulesAsync", "GetPipelineAsync", "ListMetricsAsync", "GetSummaryAsync" })
            Assert.NotNull(await CallAsync(client, method));

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => CallAsync(client, "ListTelemetryAsync", ("host_id", "nobody")));
        Assert.Equal(404, Get(refused, "StatusCode"));
        Assert.Equal("host_id", Get(Get(refused, "Result")!, "Parameter"));
    }

    private async Task<string> DocumentAsync() => await fleet.Server.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancelled);

    /// <summary>Generates the source of a client, compiles it, and makes one.</summary>
    private async Task<object> ClientAsync()
    {
        var document = await NSwag.OpenApiDocument.FromJsonAsync(await DocumentAsync(), Cancelled);
        var source = new CSharpClientGenerator(document, new CSharpClientGeneratorSettings
        {
            ClassName = "GatewayClient",
            UseBaseUrl = false,
            CSharpGeneratorSettings =
            {
                Namespace = "Generated",
                JsonLibrary = CSharpJsonLibrary.SystemTextJson,
                GenerateNullableReferenceTypes = true,
                JsonConverters = ["System.Text.Json.Serialization.JsonStringEnumConverter"], // for lists of words
            },
        }).GenerateFile();
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(a => Path.GetFileName(a).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(a) is "netstandard.dll" or "mscorlib.dll")
            .Select(a => MetadataReference.CreateFromFile(a));
        var compilation = CSharpCompilation.Create("GatewayClient", [CSharpSyntaxTree.ParseText(source, cancellationToken: Cancelled)], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly, cancellationToken: Cancelled);
        Assert.Empty(result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.ToString()));
        assembly.Position = 0;
        var type = new AssemblyLoadContext("generated client").LoadFromStream(assembly).GetType("Generated.GatewayClient")!;
        return Activator.CreateInstance(type, fleet.Server.Client)!;
    }

    private static async Task<object> CallAsync(object client, string name, params (string Name, object Value)[] arguments)
    {
        var method = client.GetType().GetMethods().Single(m => m.Name == name && m.GetParameters() is [.., { ParameterType: var last }] && last == typeof(CancellationToken));
        var values = method.GetParameters().Select(p =>
            p.ParameterType == typeof(CancellationToken) ? Cancelled : arguments.FirstOrDefault(a => a.Name == p.Name).Value);
        var task = (Task)method.Invoke(client, [.. values])!;
        await task;
        return Get(task, "Result")!;
    }

    private static object? Get(object of, string property) => of.GetType().GetProperty(property, BindingFlags.Public | BindingFlags.Instance)!.GetValue(of);
}
