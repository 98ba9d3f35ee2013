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
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        foreach (var segment in target.Split('?')[0].Split('/'))
        {
            if (AsServer(segment) == value)
                return Uri.UnescapeDataString(segment);
        }
        return value;
    }

    // What the server makes of a segment: all decoded but the slashes.
    private static string AsServer(string segment) => Uri.UnescapeDataString(
        segment.Replace("%2F", "%252F", StringComparison.Ordinal).Replace("%2f", "%252f", StringComparison.Ordinal));
}
