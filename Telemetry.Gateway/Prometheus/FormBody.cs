using Microsoft.AspNetCore.Http.Features;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus;

/// <summary>Marks an endpoint that takes its parameters as a form, too; all others refuse a body.</summary>
internal sealed class FormBody
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/x-www-form-urlencoded";

    private static readonly FormOptions Options = new()
    {
        BufferBodyLengthLimit = 4 * Parser.LengthMax,
        ValueLengthLimit = Parser.LengthMax,
        ValueCountLimit = 256,
        KeyLengthLimit = 256,
    };

    /// <summary>Reads the form; it is empty where there is no body.</summary>
    /// <exception cref="ProblemException">The body is something else.</exception>
    /// <exception cref="PromQlException">It is too large.</exception>
    public static async Task<IFormCollection> ReadAsync(HttpContext http, CancellationToken cancellationToken)
    {
        if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            return FormCollection.Empty;
        if (http.Request.ContentType is not { } type || !type.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase))
            throw Problems.UnsupportedMediaType();
        try
        {
            return await new FormFeature(http.Request, Options).ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException error)
        {
            throw new PromQlException(PromQlFault.BadData, $"the form cannot be read: {error.Message}");
        }
    }
}
