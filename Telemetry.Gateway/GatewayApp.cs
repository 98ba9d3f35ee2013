using System.Diagnostics;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Telemetry.Gateway.Endpoints;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Live;
using Telemetry.Gateway.OpenApi;
using Telemetry.Gateway.Prometheus;
using Telemetry.Gateway.Queue;
using Telemetry.Messaging.Client;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway;

/// <summary>The gateway as a web application.</summary>
public static class GatewayApp
{
    /// <summary>Makes it; nothing is opened and no port is bound before it is started.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="time">The clock for "now"; the system's if null.</param>
    /// <exception cref="SettingException">The queue's address is neither <c>host:port</c> nor a URL, or the rules cannot be used.</exception>
    public static WebApplication Build(GatewayOptions options, TimeProvider? time = null)
    {
        var queue = QueueAddress.TryResolve(options.MessageQueueAddress, Environment.GetEnvironmentVariable);
        var rules = FleetRules.Load(options.FleetRules);
        var builder = ServiceHost.CreateBuilder("gateway", options);
        builder.Listen(options, options.Port, HttpProtocols.Http1);
        AddServices(builder.Services, options, queue, rules, time ?? TimeProvider.System);
        var app = builder.Build();
        Use(app, options);
        app.MapGateway();
        LogLifetime(app, options, queue);
        return app;
    }

    private static void AddServices(IServiceCollection services, GatewayOptions options, string? queue, FleetRules rules, TimeProvider time)
    {
        services.AddSingleton(_ => new TelemetryReader(options.DatabasePath, time));
        if (queue is not null)
            services.AddSingleton(provider => new QueueReader(new QueueConnection(queue), options.QueueTimeout, provider.GetRequiredService<ILogger<QueueReader>>()));
        services.AddSingleton(provider => new GatewaySources(
            provider.GetRequiredService<TelemetryReader>(), provider.GetService<QueueReader>(), provider.GetRequiredService<FleetInsights>(), time, options, rules));
        services.AddSingleton(provider => new FleetInsights(provider.GetRequiredService<TelemetryReader>(), rules, time));
        services.AddSingleton(provider => new LiveFeed(
            provider.GetRequiredService<TelemetryReader>(), time, options, rules, provider.GetRequiredService<ILogger<LiveFeed>>()));
        services.AddSingleton<RequestMetrics>();
        services.ConfigureHttpJsonOptions(json =>
        {
            // What the OpenAPI document describes is what GatewayJson writes.
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, GatewayJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, PrometheusJson.Default);
            json.SerializerOptions.PropertyNamingPolicy = GatewayJson.Default.Options.PropertyNamingPolicy;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddAnswerCompression();
        services.AddRateLimits(options);
        services.AddCors(cors => cors.AddDefaultPolicy(any => any
            .AllowAnyOrigin().AllowAnyHeader().WithMethods(HttpMethods.Get, HttpMethods.Head)
            .WithExposedHeaders("Link", "Retry-After", "Content-Disposition", "ETag").SetPreflightMaxAge(TimeSpan.FromHours(1))));
        services.AddGatewayOpenApi();
    }

    // From the outside in: what is measured has all of what follows in it, and a refusal has all headers.
    private static void Use(WebApplication app, GatewayOptions options)
    {
        app.UseRouting();
        var metrics = app.Services.GetRequiredService<RequestMetrics>();
        app.Use(next => http => metrics.MeasureAsync(http, next));
        app.UseSecurityHeaders();
        if (options.CorsEnabled)
            app.UseCors();
        app.UseResponseCompression();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRateLimiter();
        app.UseSwaggerUI(swagger =>
        {
            swagger.RoutePrefix = "swagger";
            swagger.DocumentTitle = "GPU telemetry";
            swagger.SwaggerEndpoint("../openapi/v1.json", "GPU telemetry v1");
            swagger.EnableTryItOutByDefault();
            swagger.DisplayRequestDuration();
        });
    }

    private static void LogLifetime(WebApplication app, GatewayOptions options, string? queue)
    {
        var started = Stopwatch.GetTimestamp();
        app.Lifetime.ApplicationStarted.Register(() => GatewayLog.Started(app.Logger, string.Join(", ", app.Urls), options.DatabasePath, queue ?? "none"));
        app.Lifetime.ApplicationStopped.Register(() => GatewayLog.Stopped(app.Logger, Stopwatch.GetElapsedTime(started)));
    }
}
