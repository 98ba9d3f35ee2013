using System.IO.Hashing;
using Microsoft.Net.Http.Headers;
using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.OpenApi;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Health, metrics and the documentation.</summary>
internal static class OperationsRoutes
{
    /// <summary>GET /health.</summary>
    public static readonly ApiRoute<HealthAnswer> Health = new()
    {
        Path = "/health",
        OperationId = "getHealth",
        Tag = Tags.Operations,
        Summary = "Says whether the gateway can answer",
        Description = "200 as soon as the gateway serves, also before the store is there (`\"store\":\"waiting\"`): then the answers are those of an empty store. A store that is there but cannot be read is 503.",
        Unlimited = true,
        Answer = HealthAsync,
        Example = new HealthAnswer { Status = "healthy", Store = "ready" },
    };

    /// <summary>GET /alive.</summary>
    public static readonly ApiRoute<HealthAnswer> Alive = new()
    {
        Path = "/alive",
        OperationId = "getAlive",
        Tag = Tags.Operations,
        Summary = "Says whether the gateway is not stuck",
        Description = "200 while the process serves requests; it looks at nothing else.",
        Unlimited = true,
        Answer = _ => Task.FromResult(new HealthAnswer { Status = "healthy" }),
        Example = new HealthAnswer { Status = "healthy" },
    };

    /// <summary>GET /metrics and /openapi/v1.json.</summary>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        routes.MapPrometheusScrapingEndpoint("/metrics")
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head])).DisableRateLimiting();
        routes.MapMethods("/openapi/v1.json", [HttpMethods.Get, HttpMethods.Head], DocumentAsync).ExcludeFromDescription();
    }

    private static async Task<HealthAnswer> HealthAsync(ApiRequest request)
    {
        await request.Store.CheckAsync(request.Stop); // refused where the file cannot be read
        return new HealthAnswer { Status = "healthy", Store = request.Store.IsReady ? "ready" : "waiting" };
    }

    private static async Task<IResult> DocumentAsync(GatewayDocument document, HttpResponse response, CancellationToken cancellationToken)
    {
        var json = await document.JsonAsync(cancellationToken);
        response.Headers.CacheControl = "no-cache";
        return Results.Bytes(json, "application/json", entityTag: new EntityTagHeaderValue($"\"{XxHash3.HashToUInt64(json):x16}\"", isWeak: true));
    }
}
