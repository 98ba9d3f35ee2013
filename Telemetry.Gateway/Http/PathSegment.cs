using Microsoft.AspNetCore.Http.Features;

namespace Telemetry.Gateway.Http;

/// <summary>A parameter in the path, decoded once and wholly.</summary>
internal static class PathSegment
{
    /// <summary>
    /// The value of a route parameter. The server leaves an encoded slash as it is, so that <c>%2F</c> in the route value may
    /// be a slash or the three characters; the request line tells.
    /// </summary>
    public static string Read(HttpContext http, string name)
    {
        var value = http.Request.RouteValues[name]?.ToString() ?? "";
        if (!value.Contains("%2F", StringComparison.OrdinalIgnoreCase))
            return value;
        var asSlash = value.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        foreach (var segment in target.Split('?')[0].Split('/'))
        {
            var decoded = Uri.UnescapeDataString(segment);
            if (decoded == value || decoded == asSlash)
                return decoded;
        }
        return asSlash;
    }
}
