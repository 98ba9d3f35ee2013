using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Dashboard;

/// <summary>The page and what it asks for: resources, logs, metrics, and commands.</summary>
internal sealed class DashboardApi(
    Supervisor supervisor, ResourceViews views, LogStore logs, MetricsScraper scraper,
    TimeProvider time, ILogger logger, CancellationToken stopping)
{
    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (path, file) in PageFile.All)
            routes.MapGet(path, file.WriteAsync);
        routes.MapGet("/api/resources", context => WriteAsync(context, views.Now(), DashboardJson.Default.ApplicationView));
        routes.MapGet("/api/stream", context => new DashboardStream(supervisor, views, logs, time).WriteAsync(context, stopping));
        routes.MapGet("/api/metrics/{resource}", MetricsAsync);
        routes.MapPost("/api/resources/{name}/{command}", context =>
            Command(context, Find(context) is { } resource ? (resource.Plan.Name, resource.Replicas) : default));
        routes.MapPost("/api/replicas/{name}/{command}", context =>
            Command(context, supervisor.Resources.SelectMany(resource => resource.Replicas).FirstOrDefault(replica => replica.Id == Value(context, "name")) is { } replica ? (replica.Id, [replica]) : default));
    }

    private RunningResource? Find(HttpContext context) =>
        supervisor.Resources.FirstOrDefault(resource => resource.Plan.Name == (Value(context, "name") ?? Value(context, "resource")));

    private async Task MetricsAsync(HttpContext context)
    {
        if (Find(context) is not { } resource)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var scrapes = await Task.WhenAll(resource.Replicas.Select(replica => scraper.ScrapeAsync(resource.Plan, replica, context.RequestAborted)));
        await WriteAsync(context, new MetricsView(time.GetUtcNow(), scrapes), DashboardJson.Default.MetricsView);
    }

    /// <summary>Begins a command and answers at once: a graceful stop may take a while, and the page sees what happens.</summary>
    private Task Command(HttpContext context, (string Name, IReadOnlyList<Replica> Replicas) target)
    {
        Func<Replica, Task>? command = Value(context, "command") switch
        {
            "start" => replica => replica.StartAsync(),
            "stop" => replica => replica.StopAsync(),
            "restart" => replica => replica.RestartAsync(),
            _ => null,
        };
        if (command is null || target.Replicas is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        _ = RunAsync(Value(context, "command")!, target.Name, () => Task.WhenAll(target.Replicas.Select(command)));
        return Task.CompletedTask;
    }

    private async Task RunAsync(string name, string target, Func<Task> command)
    {
        HostingLog.Command(logger, name, target);
        try
        {
            await command();
        }
        catch (Exception error)
        {
            HostingLog.CommandFailed(logger, name, target, error);
        }
    }

    private static string? Value(HttpContext context, string name) => context.Request.RouteValues[name] as string;

    private static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }
}
