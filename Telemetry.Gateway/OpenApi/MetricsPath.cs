using Microsoft.OpenApi;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.OpenApi;

/// <summary>/metrics in the document: the exporter maps it, so it has no table of its own.</summary>
internal static class MetricsPath
{
    private const string Example = """
        # TYPE telemetry_pipeline_gateway_http_requests_total counter
        telemetry_pipeline_gateway_http_requests_total{method="GET",route="/api/v1/telemetry",status="200"} 42
        """;

    /// <summary>Adds the path.</summary>
    public static void AddTo(OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = "getMetrics",
            Summary = "Gets the gateway's metrics for Prometheus",
            Description = "In the Prometheus text format, or OpenMetrics where the Accept header asks for it.",
            Tags = new HashSet<OpenApiTagReference> { new(Tags.Operations, document) },
            Responses = new OpenApiResponses
            {
                ["200"] = new OpenApiResponse
                {
                    Description = "The metrics.",
                    Content = new Dictionary<string, OpenApiMediaType>
                    {
                        ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = Example },
                    },
                },
                ["500"] = ErrorResponses.Reference(500, document),
            },
        };
        document.Paths["/metrics"] = new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Get] = operation } };
    }
}
