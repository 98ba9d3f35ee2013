using Telemetry.Gateway.Http;

namespace Telemetry.Gateway.Endpoints;

/// <summary>A page for whoever opens the gateway in a browser: plain links, relative, so that it works behind a path prefix too.</summary>
internal static class FrontPage
{
    /// <summary>The page.</summary>
    public static readonly string Html = $"""
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>GPU telemetry</title></head>
        <body>
        <h1>GPU telemetry</h1>
        <p><a href="swagger/index.html">Try the API</a> (<a href="openapi/v1.json">OpenAPI document</a>), or follow a route:</p>
        <ul>
        {Links()}
        <li><a href="metrics">/metrics</a>: Gets the gateway's metrics for Prometheus</li>
        </ul>
        </body>
        </html>
        """;

    // Only the routes that answer without being told anything.
    private static string Links() => string.Join('\n', GatewayRoutes.All
        .Where(r => r is not StreamRoute && !r.Parameters.Any(p => p.Required))
        .Select(r => $"<li><a href=\"{r.Path[1..]}\">{r.Path}</a>: {r.Summary}</li>"));
}
