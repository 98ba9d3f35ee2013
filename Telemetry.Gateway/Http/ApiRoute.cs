using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Telemetry.Gateway.OpenApi;
using Telemetry.Storage;

namespace Telemetry.Gateway.Http;

/// <summary>
/// A route's contract: what it accepts, what it answers, and how it is documented, in one table. The OpenAPI document and
/// the checks of parameters are both made from it.
/// </summary>
public abstract class ApiRoute
{
    /// <summary>The path with its parameters in braces.</summary>
    public required string Path { get; init; }

    /// <summary>The operation's name in generated clients.</summary>
    public required string OperationId { get; init; }

    /// <summary>A line.</summary>
    public required string Summary { get; init; }

    /// <summary>What one should know to use it.</summary>
    public required string Description { get; init; }

    /// <summary>The group in the documentation; one of <see cref="Tags"/>.</summary>
    public required string Tag { get; init; }

    /// <summary>Its parameters; no others are accepted.</summary>
    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>Whether something that is asked for by name may not be there (404).</summary>
    public bool MayBeUnknown { get; init; }

    /// <summary>Whether an answer may name a next page in its Link header.</summary>
    public bool Paged { get; init; }

    /// <summary>Whether its answer changes rarely: then it has an ETag, and a client that has it already gets 304.</summary>
    public bool ChangesRarely { get; init; }

    /// <summary>Whether an orchestrator asks it: then no rate limit stands in its way.</summary>
    public bool Unlimited { get; init; }

    /// <summary>The media types of its answer, each with an example for the documentation.</summary>
    internal abstract IReadOnlyList<(string MediaType, JsonNode Example)> Answers { get; }

    /// <summary>The error statuses, and the names of their answers in the document.</summary>
    internal virtual IEnumerable<(int Status, string Response)> Errors => ErrorResponses.Of(this);

    /// <summary>Maps GET and HEAD.</summary>
    internal abstract void Map(IEndpointRouteBuilder routes);

    /// <summary>Does what may be answered with a problem, no longer than a query may take.</summary>
    /// <param name="http">The request.</param>
    /// <param name="sources">What it may read.</param>
    /// <param name="logger">For what went wrong.</param>
    /// <param name="work">What to do.</param>
    /// <exception cref="ProblemException">It cannot be done.</exception>
    private protected async Task<T> WithinLimitAsync<T>(HttpContext http, GatewaySources sources, ILogger<ApiRoute> logger, Func<ApiRequest, Task<T>> work)
    {
        using var limit = new CancellationTokenSource(sources.Options.QueryTimeout, sources.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, limit.Token);
        try
        {
            return await work(new ApiRequest(http, ParameterValues.Read(http, Parameters), sources, stop.Token));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            GatewayLog.QueryTimedOut(logger, http.Request.Method, Path, sources.Options.QueryTimeout);
            throw new ProblemException(Problems.Timeout(sources.Options.QueryTimeout));
        }
        catch (StoreException error) when (IsUnavailable(error))
        {
            throw Unavailable(http, logger, error);
        }
    }

    /// <summary>Whether an error says that the store cannot be read, rather than that something is wrong with it or the gateway.</summary>
    private protected static bool IsUnavailable(StoreException error) => error.Fault is not (StoreFault.Internal or StoreFault.Damaged);

    /// <summary>The answer to that.</summary>
    private protected ProblemException Unavailable(HttpContext http, ILogger<ApiRoute> logger, StoreException error)
    {
        GatewayLog.StoreUnavailable(logger, http.Request.Method, Path, error);
        return new ProblemException(Problems.StoreUnavailable(error.IsTransient || error.Fault == StoreFault.Moved));
    }
}

/// <summary>A route that answers JSON of one type.</summary>
internal sealed class ApiRoute<TAnswer> : ApiRoute
{
    /// <summary>Makes the answer.</summary>
    public required Func<ApiRequest, Task<TAnswer>> Answer { get; init; }

    /// <summary>An answer for the documentation.</summary>
    public required TAnswer Example { get; init; }

    internal override IReadOnlyList<(string MediaType, JsonNode Example)> Answers => [("application/json", JsonSerializer.SerializeToNode(Example, Json)!)];

    private static JsonTypeInfo<TAnswer> Json => (JsonTypeInfo<TAnswer>)GatewayJson.Default.GetTypeInfo(typeof(TAnswer))!;

    internal override void Map(IEndpointRouteBuilder routes)
    {
        var endpoint = routes.MapMethods(Path, [HttpMethods.Get, HttpMethods.Head], HandleAsync)
            .WithMetadata(this)
            .Produces<TAnswer>(StatusCodes.Status200OK, "application/json");
        if (Unlimited)
            endpoint.DisableRateLimiting();
    }

    private Task<IResult> HandleAsync(HttpContext http, GatewaySources sources, ILogger<ApiRoute> logger) =>
        WithinLimitAsync(http, sources, logger, async request =>
        {
            var answer = await Answer(request);
            if (ChangesRarely)
                await JsonBody.WriteTaggedAsync(http.Response, answer, Json, http.Request.Headers.IfNoneMatch, http.RequestAborted);
            else
                await JsonBody.WriteAsync(http.Response, StatusCodes.Status200OK, "application/json", answer, Json, http.RequestAborted);
            return Results.Empty;
        });
}
