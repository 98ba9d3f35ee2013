using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Probe;

/// <summary>A service made like the real ones, with routes to steer it.</summary>
internal static class ProbeService
{
    public static async Task<int> RunAsync(ProbeOptions options)
    {
        if (options.Exit >= 0 && (options.ExitWhile.Length == 0 || File.Exists(options.ExitWhile)))
        {
            await Console.Error.WriteLineAsync($"probe: told to end with {options.Exit}");
            return options.Exit;
        }
        var healthy = options.Healthy;
        var builder = ServiceHost.CreateBuilder("probe", options);
        builder.Services.AddHealthChecks().AddCheck("steered", () => Volatile.Read(ref healthy) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
        if (Environment.GetEnvironmentVariable("ASPNETCORE_URLS") is null)
        {
            builder.Listen(options, options.Port, HttpProtocols.Http1);
            if (options.MetricsPort >= 0)
                builder.Listen(options, options.MetricsPort, HttpProtocols.Http1);
        }
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapPost("/healthy", () => Volatile.Write(ref healthy, true));
        app.MapPost("/unhealthy", () => Volatile.Write(ref healthy, false));
        app.MapPost("/exit", (HttpContext context) => Environment.Exit(int.Parse(context.Request.Query["code"]!, System.Globalization.CultureInfo.InvariantCulture)));
        app.MapGet("/pid", () => Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        app.MapGet("/env/{name}", (string name) => Environment.GetEnvironmentVariable(name) is { } value ? Results.Text(value) : Results.NotFound());
        app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"probe is up on port {options.Port}"));
        if (options.StopWaitsFor.Length > 0)
        {
            app.Lifetime.ApplicationStopping.Register(() =>
            {
                Console.WriteLine("probe is stopping");
                SpinWait.SpinUntil(() => !File.Exists(options.StopWaitsFor));
            });
        }
        if (options.Hangs)
            app.Lifetime.ApplicationStopping.Register(() => Thread.Sleep(Timeout.Infinite));
        var exitCode = await app.RunToEndAsync();
        Console.WriteLine("probe has stopped");
        return exitCode;
    }
}
