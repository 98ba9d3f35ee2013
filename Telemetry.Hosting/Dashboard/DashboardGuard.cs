using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Hosting.Dashboard;

/// <summary>Lets nothing through that does not come from the dashboard's own page in a browser that has shown the token.</summary>
internal sealed class DashboardGuard(DashboardAccess access)
{
    /// <summary>A header that no page of another origin can send without being allowed to.</summary>
    public const string CommandHeader = "X-Dashboard";

    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Unauthorized =
        "<!doctype html><html lang=\"en\"><meta name=\"color-scheme\" content=\"light dark\"><title>Not signed in</title>" +
        "<h1>Not signed in</h1><p>Open the dashboard with the address that stands in the terminal of the AppHost: " +
        "<code>dashboard: http://localhost:…/login?t=…</code>. It is another one after each start.</p></html>";

    public async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        AddHeaders(context.Response.Headers);
        // A name that resolves to this machine is not enough: it may be an attacker's (DNS rebinding).
        if (context.Request.Host.Host is not ("localhost" or "127.0.0.1" or "[::1]"))
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "the dashboard is at localhost");
        else if (context.Request.Path == "/login")
            await LoginAsync(context);
        else if (!access.IsSession(context.Request.Cookies[access.CookieName]))
            await UnauthorizedAsync(context);
        else if (!IsFromThePage(context.Request))
            await AnswerAsync(context, StatusCodes.Status403Forbidden, "not from the dashboard's own page");
        else
            await next(context);
    }

    private async Task LoginAsync(HttpContext context)
    {
        if (!access.IsToken(context.Request.Query["t"]))
        {
            await UnauthorizedAsync(context);
            return;
        }
        context.Response.Cookies.Append(access.CookieName, access.Session, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true });
        context.Response.Redirect("/");
    }

    private static Task UnauthorizedAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(Unauthorized, context.RequestAborted);
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>Other services on this machine are the same site for a browser, so the cookie alone says too little.</summary>
    private static bool IsFromThePage(HttpRequest request)
    {
        var isPage = request.Path == "/";
        if (!isPage && request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
            return false;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return true;
        var origin = request.Headers.Origin.ToString();
        return request.Headers.ContainsKey(CommandHeader)
            && (origin.Length == 0 || origin == string.Create(CultureInfo.InvariantCulture, $"{request.Scheme}://{request.Host}"));
    }

    private static void AddHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }
}
