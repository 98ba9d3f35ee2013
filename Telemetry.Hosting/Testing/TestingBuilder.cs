using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Testing;

/// <summary>The builder that an AppHost's program gets when a test runs it; the test gets the same one.</summary>
internal sealed class TestingBuilder : DistributedApplicationBuilder, IDistributedApplicationTestingBuilder
{
    private readonly EntryPoint _program;
    private TestedApplication? _application;

    public TestingBuilder(EntryPoint program, DistributedApplicationOptions options)
        : base(InTest(program, options), Defaults(program))
    {
        _program = program;
        Services.AddHttpClient();
        // A test adds providers of its own.
        Services.AddLogging(logging => logging.ClearProviders().AddFilter("System.Net.Http.HttpClient", LogLevel.Warning));
        Services.AddSingleton<HostConsole>(services => new TestConsole(services.GetRequiredService<ILoggerFactory>(), Environment.ApplicationName));
        // As under Aspire, what fails at start has failed: a test wants to know soon.
        Services.AddSingleton(new HostTimings { StartAttemptsMax = 1 });
    }

    /// <summary>In the program, waits for the test; in the test, lets the program build.</summary>
    public override DistributedApplication Build()
    {
        if (EntryPoint.Current != _program)
            return BuildAsync().GetAwaiter().GetResult();
        _program.AwaitBuild(this);
        _application = new TestedApplication(_program, BuildHost());
        _program.Built(_application);
        return _application;
    }

    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default) => _program.ApplicationAsync(cancellationToken);

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends the program, and the application if one was built.</summary>
    public async ValueTask DisposeAsync()
    {
        _program.Abandon();
        if (_application is not null)
            await _application.DisposeAsync();
    }

    private static DistributedApplicationOptions InTest(EntryPoint program, DistributedApplicationOptions options)
    {
        // The entry assembly is the test's.
        options.AssemblyName ??= program.Name;
        options.DisableDashboard = true;
        return options;
    }

    /// <summary>What the command line and the environment have precedence over: what `dotnet run` would set, and random ports.</summary>
    private static Dictionary<string, string?> Defaults(EntryPoint program)
    {
        var defaults = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Dashboard:Enabled"] = "false",
            [RunPlan.RandomizePorts] = "true",
        };
        foreach (var (name, value) in LaunchSettings.OfProject(DirectoryOf(program.Name))?.Profiles.Values.FirstOrDefault()?.EnvironmentVariables ?? [])
        {
            defaults[name] = value;
            if (name.StartsWith("DOTNET_", StringComparison.OrdinalIgnoreCase))
                defaults[name["DOTNET_".Length..]] = value;
        }
        return defaults;
    }
}
