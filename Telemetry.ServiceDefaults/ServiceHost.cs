using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.ServiceDefaults;

/// <summary>What every service does the same way: logs, metrics, traces, health, and the ports it listens on.</summary>
public static class ServiceHost
{
    /// <summary>Meters and activity sources with this prefix are exported.</summary>
    public const string TelemetryPrefix = "Telemetry.";

    /// <summary>The grace period for a stop: intake ends, what is in hand is finished.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(25);

    /// <summary>Answers 200 where the service is ready for work.</summary>
    public const string HealthPath = "/health";

    /// <summary>Answers 200 where the service is not stuck.</summary>
    public const string AlivePath = "/alive";

    /// <summary>
    /// A web application builder with JSON logs (or the format that <c>Logging:Console:FormatterName</c> names),
    /// OpenTelemetry metrics for Prometheus, traces when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, and health checks.
    /// </summary>
    /// <param name="service">The service's name in traces and metrics, as <c>broker</c>.</param>
    /// <param name="options">The service's settings.</param>
    public static WebApplicationBuilder CreateBuilder(string service, ServiceOptions options)
    {
        // No arguments: the settings were read already, and ASP.NET's own flags are not part of the contract.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = service });
        builder.Logging.AddServiceLogging(builder.Configuration, options.LogLevel);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        if (Lifeline.OfThisProcess is { } lifeline)
            builder.Services.AddSingleton<IHostLifetime>(services => new LifelineLifetime(lifeline, services.GetRequiredService<IHostApplicationLifetime>()));
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]);

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(service))
            .WithMetrics(metrics => metrics.AddMeter(TelemetryPrefix + "*").AddRuntimeInstrumentation().AddPrometheusExporter(
                exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0))
            .WithTracing(traces => traces.AddSource(TelemetryPrefix + "*").AddAspNetCoreInstrumentation(
                web => web.Filter = context => !IsOperational(context.Request.Path)));
        if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            telemetry.UseOtlpExporter();
        return builder;
    }

    /// <summary>Makes Kestrel listen on a port; 0 is any free port, and the address comes from <see cref="ServiceOptions.ListenAddress"/>.</summary>
    /// <exception cref="SettingException">The listen address is not <c>localhost</c>, <c>any</c> or an IP address.</exception>
    public static void Listen(this WebApplicationBuilder builder, ServiceOptions options, int port, HttpProtocols protocols)
    {
        var address = options.ListenAddress == "any" ? null : Address(options.ListenAddress);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            Action<ListenOptions> configure = listen => listen.Protocols = protocols;
            if (address is null)
                kestrel.ListenAnyIP(port, configure);
            else if (options.ListenAddress == "localhost" && port != 0)
                kestrel.ListenLocalhost(port, configure);
            else
                kestrel.Listen(address, port, configure);
        });
    }

    /// <summary>The addresses that <see cref="Listen"/> takes a port of; <see cref="IPAddress.IPv6Any"/> is also that of IPv4.</summary>
    /// <exception cref="SettingException">The listen address is not <c>localhost</c>, <c>any</c> or an IP address.</exception>
    public static IReadOnlyList<IPAddress> ListenAddresses(ServiceOptions options) => options.ListenAddress switch
    {
        "any" => [Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any],
        "localhost" when Socket.OSSupportsIPv6 => [IPAddress.Loopback, IPAddress.IPv6Loopback],
        var text => [Address(text)],
    };

    /// <summary>Maps <c>/health</c> (ready), <c>/alive</c> (not stuck) and <c>/metrics</c> (Prometheus).</summary>
    public static WebApplication MapServiceDefaults(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath);
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    /// <summary>Runs the application until it is told to stop.</summary>
    /// <returns>The exit code: 1 when a worker failed, otherwise <see cref="Environment.ExitCode"/>, which a worker may have set.</returns>
    /// <exception cref="StartupException">A port is in use, or a worker ended with it.</exception>
    public static async Task<int> RunToEndAsync(this WebApplication app)
    {
        try
        {
            await app.StartAsync();
            await app.WaitForShutdownAsync();
        }
        catch (OperationCanceledException)
        {
            // A worker failed while the host was starting; its reason follows.
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            await StopAsync(app);
            throw new StartupException(PortInUse(error), error);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AccessDenied)
        {
            await StopAsync(app);
            throw new StartupException($"cannot listen: {error.Message}; check LISTEN_ADDRESS and the ports", error);
        }
        var failure = app.Services.GetServices<IHostedService>().OfType<BackgroundService>()
            .Select(worker => worker.ExecuteTask?.Exception?.GetBaseException()).FirstOrDefault(error => error is not null);
        if (failure is not null and not StartupException)
            ServiceDefaultsLog.WorkerFailed(app.Logger, failure);
        await app.DisposeAsync();
        if (failure is StartupException reason)
            throw reason;
        return failure is null ? Environment.ExitCode : ServiceProgram.ExitFailure;
    }

    /// <summary>The addresses that a started application listens on, in the order in which <see cref="Listen"/> was called.</summary>
    public static IReadOnlyList<Uri> BoundAddresses(this WebApplication app) =>
        [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(address => new Uri(address.Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)))];

    /// <summary>Ends what was started: workers start before the ports are bound, and may be in a group by then.</summary>
    private static async Task StopAsync(WebApplication app)
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static string PortInUse(IOException error)
    {
        // Kestrel's message: "Failed to bind to address http://127.0.0.1:9090: address already in use."
        var address = error.Message.Split(' ').FirstOrDefault(word => word.StartsWith("http", StringComparison.Ordinal))?.TrimEnd(':', '.');
        var port = Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) : address;
        return $"port {port} is in use by another program: stop it, or choose another port with --port or --metrics-port (0 = any free port)";
    }

    private static IPAddress Address(string text) =>
        text == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(text, out var address) ? address
        : throw new SettingException($"LISTEN_ADDRESS: '{text}' is not accepted: expected localhost, any or an IP address");

    private static bool IsOperational(string? path) => path is HealthPath or AlivePath or "/metrics";
}
