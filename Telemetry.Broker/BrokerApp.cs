using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry.Instrumentation.AspNetCore;
using Telemetry.Broker.Log;
using Telemetry.Broker.Rpc;
using Telemetry.ServiceDefaults;

namespace Telemetry.Broker;

/// <summary>The broker as a web application: gRPC on one port, health and metrics on another.</summary>
public static class BrokerApp
{
    /// <summary>
    /// The largest message that is received. Twice what a batch may have, so that one over the limit is answered with
    /// BATCH_TOO_LARGE and both numbers, and not with a reset of the stream.
    /// </summary>
    internal const int MessageBytesMax = 2 * BrokerLimits.BatchBytesMax;

    private const string QueuePath = "/telemetry.queue.v1.";

    private static readonly string[] StreamingMethods = ["PublishStream", "Fetch", "Join", "Watch", "ServerReflectionInfo"];

    /// <summary>Builds the application; nothing listens yet.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <exception cref="StartupException">DATA_PATH cannot be used.</exception>
    public static WebApplication Build(BrokerOptions options, TimeProvider? time = null)
    {
        var builder = ServiceHost.CreateBuilder("broker", options);
        builder.Listen(options, options.Port, HttpProtocols.Http2);
        builder.Listen(options, options.MetricsPort, HttpProtocols.Http1);
        builder.WebHost.ConfigureKestrel(Limit);
        AddCore(builder.Services, options, time ?? TimeProvider.System);
        AddRpc(builder);

        var app = builder.Build();
        try
        {
            // Opened before anything listens: what is wrong with the folder is the program's own error.
            app.Services.GetRequiredService<BrokerCore>();
        }
        catch (StorageException error)
        {
            throw new StartupException($"DATA_PATH: {error.Message}");
        }
        var calls = app.Services.GetRequiredService<OpenCalls>();
        app.Use(next => context => context.Request.Path.Value!.StartsWith(QueuePath, StringComparison.Ordinal) ? calls.RunAsync(context, next) : next(context));
        app.MapServiceDefaults();
        app.MapGrpcService<QueueService>();
        app.MapGrpcService<QueueAdminService>();
        app.MapGrpcHealthChecksService();
        if (app.Environment.IsDevelopment())
            app.MapGrpcReflectionService();
        return app;
    }

    private static void AddCore(IServiceCollection services, BrokerOptions options, TimeProvider time)
    {
        services.AddSingleton(options);
        services.AddSingleton(time);
        services.AddSingleton(provider => new BrokerMetrics(
            provider.GetRequiredService<IMeterFactory>().Create(BrokerMetrics.MeterName)));
        services.AddSingleton(provider => new LogCommitter(options.Fsync, time)
        {
            Synced = provider.GetRequiredService<BrokerMetrics>().SyncTook,
            Wrote = provider.GetRequiredService<BrokerMetrics>().Wrote,
        });
        services.AddSingleton<CommitterThread>();
        services.AddSingleton(provider =>
        {
            // Made first, so that it is disposed last: closing the logs needs it.
            if (options.DataPath.Length > 0)
                provider.GetRequiredService<CommitterThread>();
            return new BrokerCore(
                options,
                time,
                provider.GetRequiredService<BrokerMetrics>(),
                storageFailed: (partition, error) => provider.GetRequiredService<ILogger<BrokerCore>>().StorageFailed(
                    partition?.Topic ?? "", partition?.Partition ?? -1, error is StorageException { Fatal: true }, error),
                committer: provider.GetRequiredService<LogCommitter>());
        });
        services.AddHostedService<BrokerWorker>();
        services.AddHealthChecks().AddCheck<BrokerHealthCheck>("broker");
    }

    private static void AddRpc(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<OpenCalls>();
        builder.Services.AddSingleton<ErrorInterceptor>();
        builder.Services.AddSingleton<QueueService>();
        builder.Services.AddSingleton<QueueAdminService>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MessageBytesMax;
            grpc.MaxSendMessageSize = MessageBytesMax;
            grpc.Interceptors.Add<ErrorInterceptor>();
        });
        builder.Services.AddGrpcHealthChecks();
        // Watchers of the health service hear of a change this soon.
        builder.Services.Configure<HealthCheckPublisherOptions>(publisher =>
        {
            publisher.Delay = TimeSpan.Zero;
            publisher.Period = TimeSpan.FromSeconds(5);
        });
        if (builder.Environment.IsDevelopment())
            builder.Services.AddGrpcReflection();
        // A stream lives for hours; a span of it would end never and say nothing. The batches carry their own.
        builder.Services.PostConfigure<AspNetCoreTraceInstrumentationOptions>(web =>
        {
            var filter = web.Filter;
            web.Filter = context => !IsStreaming(context.Request.Path) && (filter is null || filter(context));
        });
    }

    private static void Limit(KestrelServerOptions kestrel)
    {
        // A connection whose other end vanished is found within 20 s; its streams end then.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        // A client may fetch every partition of the largest topic over one connection, and publish and join beside.
        kestrel.Limits.Http2.MaxStreamsPerConnection = BrokerLimits.PartitionsMax + 128;
        // Windows of a few batches keep a connection busy.
        kestrel.Limits.Http2.InitialStreamWindowSize = 2 << 20;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
        // A consumer that stops reading is bounded by its credit; cutting its connection would also end its membership.
        kestrel.Limits.MinResponseDataRate = null;
    }

    private static bool IsStreaming(PathString path) =>
        path.Value is { } value && StreamingMethods.Contains(value[(value.LastIndexOf('/') + 1)..]);
}
