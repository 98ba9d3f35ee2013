using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Telemetry.Gateway.Prometheus;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Http;

/// <summary>Turns exceptions and empty error statuses into error answers. Nothing of an exception reaches the user.</summary>
internal sealed class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    // The client has gone: nobody reads the status, but the metrics show it (nginx's number for it).
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
                && http.GetEndpoint() is RouteEndpoint endpoint && endpoint.Metadata.GetMetadata<FormBody>() is null)
            {
                throw Problems.UnsupportedMediaType();
            }
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
                await WriteAsync(http, OfStatus(http));
        }
        catch (ProblemException error)
        {
            await WriteAsync(http, error.Problem);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            if (!http.Response.HasStarted)
                http.Response.StatusCode = ClientClosedRequest;
        }
        catch (BadHttpRequestException error)
        {
            await WriteAsync(http, Problems.Other(error.StatusCode));
        }
        // The boundary of the service: whatever it is, it is logged, and the user gets a plain 500.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            GatewayLog.RequestFailed(logger, http.Request.Method, UserInput.Printable(http.Request.Path.Value ?? ""), error);
            await WriteAsync(http, Problems.Internal(Activity.Current?.TraceId.ToHexString()));
        }
    }

    /// <summary>Writes an error answer, or cuts the connection where an answer has begun.</summary>
    public static async Task WriteAsync(HttpContext http, Problem problem)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        await JsonBody.WriteAsync(http.Response, problem.Status, Problem.MediaType, problem, GatewayJson.Default.Problem, CancellationToken.None);
    }

    private static Problem OfStatus(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problems.UnknownRoute(http.Request.Path.Value ?? ""),
        StatusCodes.Status405MethodNotAllowed => Problems.MethodNotAllowed(http.Request.Method, http.Response.Headers.Allow.ToString()),
        var status => Problems.Other(status),
    };
}
