using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.PromQl;
using Telemetry.Storage;

namespace Telemetry.Gateway.Prometheus;

/// <summary>A route of Prometheus's API: its parameters may be a form, parameters that it does not know do not matter, and errors have its envelope.</summary>
internal sealed class PrometheusRoute<TData> : ApiRoute
{
    /// <summary>Makes the answer.</summary>
    public required Func<PrometheusRequest, Task<PrometheusAnswer<TData>>> Answer { get; init; }

    /// <summary>An answer for the documentation.</summary>
    public required TData Example { get; init; }

    /// <summary>Whether it takes POST.</summary>
    public bool TakesForm { get; init; }

    /// <summary>Writes the answer in parts; null writes it at once.</summary>
    public Func<HttpResponse, PrometheusAnswer<TData>, CancellationToken, Task>? Write { get; init; }

    internal override IEnumerable<(int Status, string Response)> Errors => PrometheusErrors.Of(TakesForm);

    private static JsonTypeInfo<PrometheusAnswer<TData>> Json => (JsonTypeInfo<PrometheusAnswer<TData>>)PrometheusJson.Default.GetTypeInfo(typeof(PrometheusAnswer<TData>))!;

    internal override IReadOnlyList<(string MediaType, JsonNode Example)> Answers =>
        [("application/json", JsonSerializer.SerializeToNode(new PrometheusAnswer<TData> { Data = Example }, Json)!)];

    internal override void Map(IEndpointRouteBuilder routes)
    {
        Describe(routes.MapMethods(Path, [HttpMethods.Get, HttpMethods.Head], HandleAsync));
        if (TakesForm)
            Describe(routes.MapMethods(Path, [HttpMethods.Post], HandleAsync)).WithMetadata(new FormBody());
    }

    private RouteHandlerBuilder Describe(RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(this).Produces<PrometheusAnswer<TData>>(StatusCodes.Status200OK, "application/json");

    private async Task<IResult> HandleAsync(HttpContext http, GatewaySources sources, ILogger<ApiRoute> logger)
    {
        var allowed = sources.Options.QueryTimeout;
        using var limit = new CancellationTokenSource(allowed, sources.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, limit.Token);
        var hasPlace = false;
        try
        {
            var request = await PrometheusRequest.ReadAsync(http, Parameters, sources, stop.Token);
            if (request.Get(PrometheusRoutes.Timeout) is { } timeout && timeout < allowed.TotalMilliseconds)
                limit.CancelAfter(allowed = TimeSpan.FromMilliseconds(timeout));
            await sources.PromQlPlaces.WaitAsync(stop.Token);
            hasPlace = true;
            var answer = await Answer(request);
            await (Write is null
                ? JsonBody.WriteAsync(http.Response, StatusCodes.Status200OK, "application/json", answer, Json, stop.Token)
                : Write(http.Response, answer, stop.Token));
        }
        catch (PromQlException error)
        {
            await PrometheusErrors.WriteAsync(http, error);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            GatewayLog.QueryTimedOut(logger, http.Request.Method, Path, allowed);
            await PrometheusErrors.WriteAsync(http, PrometheusErrors.Timeout(allowed));
        }
        catch (StoreException error) when (error.Fault is not (StoreFault.Internal or StoreFault.Damaged))
        {
            GatewayLog.StoreUnavailable(logger, http.Request.Method, Path, error);
            await PrometheusErrors.WriteAsync(http, PrometheusErrors.Unavailable);
        }
        finally
        {
            if (hasPlace)
                sources.PromQlPlaces.Release();
        }
        return Results.Empty;
    }
}
