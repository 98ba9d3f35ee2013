using Telemetry.Gateway.Dashboard;

namespace Telemetry.Gateway.Http;

/// <summary>Headers that keep browsers from guessing, framing and running anything that is not ours.</summary>
internal static class SecurityHeaders
{
    // Swagger UI sets style attributes and draws data: images; its scripts are files.
    private const string SwaggerPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // The dashboard's page runs and shows its own files only. ECharts draws its toolbox with data: images.
    private const string DashboardPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string AnswerPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Adds them to every answer.</summary>
    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = PolicyOf(http.Request.Path);
        return next(http);
    });

    private static string PolicyOf(PathString path)
    {
        if (path == "/" || path.StartsWithSegments(DashboardRoutes.Folder, StringComparison.Ordinal))
            return DashboardPolicy;
        return path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) ? SwaggerPolicy : AnswerPolicy;
    }
}
