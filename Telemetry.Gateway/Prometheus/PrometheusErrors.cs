using System.Text.Json;
using Microsoft.OpenApi;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.OpenApi;
using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus;

/// <summary>The errors of Prometheus's API, and how the document tells of them.</summary>
internal static class PrometheusErrors
{
    private static readonly Dictionary<int, (string Name, string Description, PrometheusError Example)> All = new()
    {
        [400] = ("PrometheusBadData", "A parameter is missing or not readable, or the query is no PromQL.",
            new PrometheusError { ErrorType = "bad_data", Error = "invalid parameter \"query\": 1:5: parse error: unexpected end of input where an expression should be" }),
        [422] = ("PrometheusExecution", "The query has something that is not supported here, or cannot be computed.",
            new PrometheusError { ErrorType = "execution", Error = "invalid parameter \"query\": 1:1: the function predict_linear is not supported here" }),
        [503] = ("PrometheusUnavailable", "The query took too long, or the store cannot be read for the moment.", Timeout(TimeSpan.FromSeconds(30))),
    };

    /// <summary>The store cannot be read.</summary>
    public static readonly PrometheusError Unavailable = new() { ErrorType = "unavailable", Error = "the store cannot be read just now; try again" };

    /// <summary>A query that took longer than it may.</summary>
    public static PrometheusError Timeout(TimeSpan limit) => new()
    {
        ErrorType = "timeout",
        Error = $"query timed out in expression evaluation after {limit.TotalSeconds:0.###} s: ask for a shorter range or fewer series",
    };

    /// <summary>The error answers of a route, by the names of their responses in the document.</summary>
    public static IEnumerable<(int Status, string Response)> Of(bool takesForm) =>
        All.Select(e => (e.Key, e.Value.Name)).Concat(ErrorResponses.Named(takesForm ? [415, 429, 500] : [429, 500]));

    /// <summary>Answers with an error of a query.</summary>
    public static Task WriteAsync(HttpContext http, PromQlException error) => error.Fault == PromQlFault.BadData
        ? WriteAsync(http, StatusCodes.Status400BadRequest, new PrometheusError { ErrorType = "bad_data", Error = error.Message })
        : WriteAsync(http, StatusCodes.Status422UnprocessableEntity, new PrometheusError { ErrorType = "execution", Error = error.Message });

    /// <summary>Answers that it is not possible for the moment.</summary>
    public static Task WriteAsync(HttpContext http, PrometheusError error) => WriteAsync(http, StatusCodes.Status503ServiceUnavailable, error);

    /// <summary>Adds the error answers to the document.</summary>
    public static void AddTo(OpenApiDocument document, IOpenApiSchema schema)
    {
        document.AddComponent(nameof(PrometheusError), schema);
        foreach (var (name, description, example) in All.Values)
        {
            document.AddComponent(name, new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new()
                    {
                        Schema = new OpenApiSchemaReference(nameof(PrometheusError), document),
                        Example = JsonSerializer.SerializeToNode(example, PrometheusJson.Default.PrometheusError),
                    },
                },
            });
        }
    }

    private static async Task WriteAsync(HttpContext http, int status, PrometheusError error)
    {
        if (http.Response.HasStarted)
            http.Abort();
        else
            await JsonBody.WriteAsync(http.Response, status, "application/json", error, PrometheusJson.Default.PrometheusError, http.RequestAborted);
    }
}
