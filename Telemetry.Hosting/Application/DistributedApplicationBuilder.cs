using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Dashboard;
using Telemetry.Hosting.Publish;
using Telemetry.Hosting.Run;

namespace Aspire.Hosting;

internal class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly HostApplicationBuilder _host;

    /// <summary>Makes a builder.</summary>
    /// <param name="options">The command line and the AppHost.</param>
    /// <param name="defaults">Configuration that everything else has precedence over.</param>
    public DistributedApplicationBuilder(DistributedApplicationOptions options, IEnumerable<KeyValuePair<string, string?>>? defaults = null)
    {
        AppHostDirectory = DirectoryOf(options.AssemblyName) ?? Directory.GetCurrentDirectory();
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(defaults);
        // An AppHost runs with the settings that it was started with: no file watchers.
        configuration["hostBuilder:reloadConfigOnChange"] = "false";
        _host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
        {
            ApplicationName = options.AssemblyName,
            Args = options.Args,
            Configuration = configuration,
            ContentRootPath = AppHostDirectory,
        });
        var publish = string.Equals(Configuration["operation"], "publish", StringComparison.OrdinalIgnoreCase);
        ExecutionContext = new DistributedApplicationExecutionContext(
            publish ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run);

        // Every process has its own time to stop, which ends with its death: nothing to add to that.
        Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton(Resources);
        Services.AddSingleton(TimeProvider.System);
        Services.AddSingleton<HostTimings>();
        Services.AddSingleton(HostConsole.OfThisProcess());
        Services.AddSingleton(new LogLimits());
        Services.AddSingleton<LogStore>();
        Services.AddSingleton<RunOutput>();
        Services.AddSingleton(new ResourceNotificationService());
        Services.AddSingleton<DashboardAccess>();
        Services.AddSingleton<Supervisor>();
        // Before the supervisor, so that it is stopped after it and shows how the services stop.
        Services.AddHostedService<DashboardServer>();
        Services.AddHostedService(services => services.GetRequiredService<Supervisor>());
        Services.AddSingleton((Pipeline)Pipeline);
        Services.AddSingleton<Publisher>();
        Services.AddSingleton<IPipelineOutputService>(services => services.GetRequiredService<Publisher>());
        _host.Logging.ClearProviders();
        _host.Logging.AddFilter("Microsoft", LogLevel.Warning);
        Services.AddSingleton<ILoggerProvider, HostLoggerProvider>();
    }

    public ConfigurationManager Configuration => _host.Configuration;

    public string AppHostDirectory { get; }

    public IHostEnvironment Environment => _host.Environment;

    public IServiceCollection Services => _host.Services;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IDistributedApplicationPipeline Pipeline { get; } = new Pipeline();

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        if (Resources.Any(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
            throw new DistributedApplicationException($"there are two resources '{resource.Name}'; names do not differ by case only");
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    public virtual DistributedApplication Build() => new(BuildHost());

    protected IHost BuildHost() => _host.Build();

    protected static string? DirectoryOf(string? assemblyName)
    {
        var assembly = assemblyName is null ? Assembly.GetEntryAssembly() : Assembly.Load(assemblyName);
        return assembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(metadata => metadata.Key == "AppHostProjectPath")?.Value;
    }
}
