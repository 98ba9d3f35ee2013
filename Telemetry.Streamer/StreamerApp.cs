using Microsoft.AspNetCore.Server.Kestrel.Core;
using Spectre.Console;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Streamer;

/// <summary>The streamer as a web application: it streams in the background and has health and metrics.</summary>
public static class StreamerApp
{
    /// <summary>Builds the application; it streams once it is started, and ends by itself after a finite input.</summary>
    /// <exception cref="SettingException">The queue's address cannot be used.</exception>
    /// <exception cref="StartupException">The input is not there, or is not telemetry.</exception>
    public static WebApplication Build(StreamerOptions options)
    {
        var address = QueueAddress.Resolve(options.QueueAddr, Environment.GetEnvironmentVariable);
        var console = Console.IsOutputRedirected ? null : AnsiConsole.Console;
        return Build(options, services => new MessageQueue(address, services.GetRequiredService<ILoggerFactory>()), TimeProvider.System, new StreamerProgress(console));
    }

    internal static WebApplication Build(StreamerOptions options, Func<IServiceProvider, IInputQueue> queue, TimeProvider time, StreamerProgress progress)
    {
        // What is wrong with the input is said before anything is started.
        Input.Open(options);
        var hosted = progress.Shows(options) && options.LogLevel < LogVerbosity.Warn ? options with { LogLevel = LogVerbosity.Warn } : options;
        var builder = ServiceHost.CreateBuilder("streamer", hosted);
        builder.Listen(options, options.MetricsPort, HttpProtocols.Http1);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(queue);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(progress);
        builder.Services.AddSingleton<StreamerMetrics>();
        builder.Services.AddSingleton<StreamerWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<StreamerWorker>());
        var app = builder.Build();
        app.MapServiceDefaults();
        return app;
    }
}
