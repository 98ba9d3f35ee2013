using Microsoft.AspNetCore.Server.Kestrel.Core;
using Telemetry.Collector.Intake;
using Telemetry.Collector.Retention;
using Telemetry.Collector.Writing;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage;

namespace Telemetry.Collector;

/// <summary>The collector as a web application: its work runs beside /health and /metrics.</summary>
public static class CollectorApp
{
    /// <summary>Checks the settings, opens the store and puts the collector together; nothing is read before it is started.</summary>
    /// <exception cref="SettingException">A setting cannot be used.</exception>
    /// <exception cref="StartupException">The store cannot be used.</exception>
    public static WebApplication Build(CollectorOptions options) => Build(options, null, TimeProvider.System);

    internal static WebApplication Build(CollectorOptions options, Func<ICollectorQueue>? connect, TimeProvider time)
    {
        options.Validate();
        var address = QueueAddress.Resolve(options.MessageQueueAddress, Environment.GetEnvironmentVariable);
        var builder = ServiceHost.CreateBuilder("collector", options);
        builder.Listen(options, options.MetricsPort, HttpProtocols.Http1);
        var store = Open(options, time);
        builder.Services.AddSingleton(_ => store); // by a factory, so that the container closes it
        builder.Services.AddSingleton<CollectorMetrics>();
        builder.Services.AddSingleton(new StoreHealth(store.Path, time));
        builder.Services.AddSingleton(services => Context(services, options, time));
        builder.Services.AddHealthChecks().AddCheck<StoreHealth>("store");
        // Stopped in reverse: retention and folding first, then the collector.
        builder.Services.AddHostedService(services =>
        {
            var context = services.GetRequiredService<CollectorContext>();
            return new CollectorService(context, connect ?? (() => new BrokerQueue(address, options, context.Logger)), address);
        });
        builder.Services.AddHostedService<HistoryService>();
        builder.Services.AddHostedService<RetentionService>();
        return builder.Build().MapServiceDefaults();
    }

    private static TelemetryStore Open(CollectorOptions options, TimeProvider time)
    {
        try
        {
            return TelemetryStore.Open(options.DatabasePath, new TelemetryStoreOptions { Time = time });
        }
        catch (StoreException error)
        {
            throw new StartupException(error.Message, error);
        }
    }

    private static CollectorContext Context(IServiceProvider services, CollectorOptions options, TimeProvider time)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Telemetry.Collector");
        var lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        return new CollectorContext(options, services.GetRequiredService<TelemetryStore>(), services.GetRequiredService<CollectorMetrics>(),
            services.GetRequiredService<StoreHealth>(), logger, time)
        {
            Fail = error =>
            {
                CollectorLog.Failed(logger, error);
                Environment.ExitCode = ServiceProgram.ExitFailure;
                lifetime.StopApplication();
            },
        };
    }
}
