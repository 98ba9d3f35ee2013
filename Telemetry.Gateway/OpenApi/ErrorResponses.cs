using System.Text.Json;
using Microsoft.OpenApi;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.OpenApi;

/// <summary>The error answers in the document: each once, and the operations refer to them.</summary>
internal static class ErrorResponses
{
    /// <summary>The name of the schema of <see cref="Problem"/>.</summary>
    public const string SchemaName = nameof(Problem);

    private static readonly Dictionary<int, (string Name, string Description, Problem Example)> All = new()
    {
        [400] = ("InvalidParameter", "A parameter is unknown, repeated, missing, not readable or out of range.",
            Problems.InvalidParameter("page_size", "'5000' is not accepted: expected a whole number from 1 to 1000").Problem),
        [404] = ("Unknown", "No record of the host or GPU is stored.", Problems.UnknownHost("node-77").Problem),
        [415] = ("UnsupportedMediaType", "The request has a body.", Problems.UnsupportedMediaType().Problem),
        [429] = ("TooManyRequests", "This address asks too often; `Retry-After` says when to try again.", Problems.TooManyRequests(1)),
        [500] = ("InternalError", "The gateway failed.", Problems.Internal("4bf92f3577b34da6a3ce929d0e0e4736")),
        [503] = ("Unavailable", "The query took too long, or the store cannot be read for the moment.", Problems.Timeout(TimeSpan.FromSeconds(30))),
    };

    /// <summary>The error statuses of a route, and the names of their answers.</summary>
    public static IEnumerable<(int Status, string Response)> Of(ApiRoute route) => Named(All.Keys.Where(status => status != 404 || route.MayBeUnknown));

    /// <summary>Some of the error statuses, and the names of their answers.</summary>
    public static IEnumerable<(int Status, string Response)> Named(IEnumerable<int> statuses) => statuses.Select(status => (status, All[status].Name));

    /// <summary>A reference to an error answer.</summary>
    public static OpenApiResponseReference Reference(int status, OpenApiDocument document) => new(All[status].Name, document);

    /// <summary>Adds the error answers.</summary>
    public static void AddTo(OpenApiDocument document)
    {
        foreach (var (status, (name, description, example)) in All)
        {
            document.AddComponent(name, new OpenApiResponse
            {
                Description = description,
                Headers = status != 429 ? null : new Dictionary<string, IOpenApiHeader>
                {
                    ["Retry-After"] = new OpenApiHeader { Description = "Seconds.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } },
                },
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem.MediaType] = new()
                    {
                        Schema = new OpenApiSchemaReference(SchemaName, document),
                        Example = JsonSerializer.SerializeToNode(example, GatewayJson.Default.Problem),
                    },
                },
            });
        }
    }
}
