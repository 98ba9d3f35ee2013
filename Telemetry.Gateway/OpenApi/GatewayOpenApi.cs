using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus;

namespace Telemetry.Gateway.OpenApi;

/// <summary>Makes the OpenAPI document from the routes' tables.</summary>
internal static class GatewayOpenApi
{
    /// <summary>Adds the document to the services.</summary>
    public static void AddGatewayOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<GatewayDocument>();
        services.AddOpenApi(GatewayDocument.Name, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_0;
            options.ShouldInclude = description => description.HttpMethod == HttpMethods.Get || description.HttpMethod == HttpMethods.Post;
            options.AddOperationTransformer((operation, context, _) =>
            {
                var route = context.Description.ActionDescriptor.EndpointMetadata.OfType<ApiRoute>().Single();
                Describe(operation, route, context.Document!);
                if (context.Description.HttpMethod == HttpMethods.Post)
                    TakeForm(operation);
                return Task.CompletedTask;
            });
            options.AddSchemaTransformer((schema, context, _) =>
            {
                // Words without a type are numbers to those who generate clients.
                if (schema.Enum is { Count: > 0 })
                    schema.Type ??= JsonSchemaType.String;
                if (context.JsonTypeInfo.Type == typeof(TimeSpan))
                    schema.Pattern = DurationParameter.Pattern;
                // The generator does not look at whether the items of a list may be null.
                if (schema.Items is OpenApiSchema items && context.JsonPropertyInfo?.AttributeProvider is PropertyInfo property
                    && new NullabilityInfoContext().Create(property).GenericTypeArguments is [{ ReadState: NullabilityState.Nullable }])
                {
                    items.Type |= JsonSchemaType.Null;
                }
                return Task.CompletedTask;
            });
            options.AddDocumentTransformer(async (document, context, cancellationToken) =>
            {
                Describe(document);
                foreach (var schema in document.Components!.Schemas!.Values.Where(s => s.Properties is not null))
                    LeaveOutNulls(schema.Properties!);
                document.AddComponent(ErrorResponses.SchemaName, await context.GetOrCreateSchemaAsync(typeof(Problem), null, cancellationToken));
                ErrorResponses.AddTo(document);
                PrometheusErrors.AddTo(document, await context.GetOrCreateSchemaAsync(typeof(PrometheusError), null, cancellationToken));
                MetricsPath.AddTo(document);
            });
        });
    }

    // An object that may not be there is left out of the answer and never null; OpenAPI 3.0 has no words for one that is.
    private static void LeaveOutNulls(IDictionary<string, IOpenApiSchema> properties)
    {
        foreach (var (name, property) in properties.ToList())
        {
            if (property.OneOf is { Count: 2 } either && either.SingleOrDefault(s => s is OpenApiSchemaReference) is { } there)
                properties[name] = there;
        }
    }

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "GPU telemetry",
            Version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0",
            Description = """
                Records of the GPUs of a fleet, and what can be computed from them.

                - Names are snake_case. Times are RFC 3339: in UTC in answers, with any offset in requests. Ranges are [start, end).
                - What was not measured is not in `metrics`, and never 0. Labels that the source does not say are null.
                - Errors are `application/problem+json`; `parameter` names the parameter that is wrong. Unknown and repeated parameters are errors.
                """,
            Contact = new OpenApiContact { Name = "The people who run this gateway" },
            License = new OpenApiLicense { Name = "MIT" },
        };
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>(Tags.All.Select(t => new OpenApiTag { Name = t.Name, Description = t.Description }));
    }

    private static void Describe(OpenApiOperation operation, ApiRoute route, OpenApiDocument document)
    {
        operation.OperationId = route.OperationId;
        operation.Summary = route.Summary;
        operation.Description = route.Description;
        operation.Tags = new HashSet<OpenApiTagReference> { new(route.Tag, document) };
        operation.Parameters = [.. route.Parameters.Select(Parameter)];
        var answer = operation.Responses!["200"];
        answer.Description = "The answer.";
        foreach (var (mediaType, example) in route.Answers)
            answer.Content![mediaType].Example = example;
        if (route.Paged && answer is OpenApiResponse paged)
            paged.Headers = new Dictionary<string, IOpenApiHeader> { ["Link"] = LinkHeader };
        if (route.ChangesRarely)
        {
            if (answer is OpenApiResponse tagged)
                tagged.Headers = new Dictionary<string, IOpenApiHeader> { ["ETag"] = TagHeader };
            operation.Responses["304"] = new OpenApiResponse { Description = "The answer is the one whose ETag the request has in `If-None-Match`." };
        }
        foreach (var (status, response) in route.Errors)
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(response, document);
    }

    /// <summary>The same parameters as a form.</summary>
    private static void TakeForm(OpenApiOperation operation)
    {
        operation.OperationId += "ByForm";
        var parameters = operation.Parameters!;
        operation.Parameters = null;
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = parameters.Any(p => p.Required),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [FormBody.MediaType] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Properties = parameters.ToDictionary(p => p.Name!, p => p.Schema!),
                        Required = parameters.Where(p => p.Required).Select(p => p.Name!).ToHashSet(),
                    },
                    Example = new JsonObject(parameters.Select(p => KeyValuePair.Create(p.Name!, p.Example?.DeepClone()))),
                },
            },
        };
    }

    private static OpenApiHeader TagHeader => new()
    {
        Description = "Changes with the answer; for `If-None-Match` of the next request.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiHeader LinkHeader => new()
    {
        Description = "The next page, as `</api/v1/telemetry?…>; rel=\"next\"`; not there on the last.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiParameter Parameter(Parameter parameter) => new()
    {
        Name = parameter.Name,
        In = parameter.InPath ? ParameterLocation.Path : ParameterLocation.Query,
        Required = parameter.Required,
        Description = parameter.Description,
        Schema = parameter.Schema(),
        Example = parameter.Example.DeepClone(),
    };
}
