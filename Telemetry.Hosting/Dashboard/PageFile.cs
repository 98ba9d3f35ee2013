using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Hosting.Dashboard;

/// <summary>A file of the page, which is part of the assembly.</summary>
internal sealed class PageFile(string name, string contentType)
{
    /// <summary>The files by their path.</summary>
    public static IReadOnlyDictionary<string, PageFile> All { get; } = new Dictionary<string, PageFile>
    {
        ["/"] = new("index.html", "text/html; charset=utf-8"),
        ["/favicon.svg"] = new("favicon.svg", "image/svg+xml"),
        ["/page.css"] = new("page.css", "text/css; charset=utf-8"),
        ["/page.js"] = Script("page.js"),
        ["/elements.js"] = Script("elements.js"),
        ["/resources.js"] = Script("resources.js"),
        ["/logs.js"] = Script("logs.js"),
        ["/metrics.js"] = Script("metrics.js"),
    };

    /// <summary>Writes the file.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = contentType;
        await using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream($"page/{name}")
            ?? throw new InvalidOperationException($"{name} is not part of the assembly");
        context.Response.ContentLength = file.Length;
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static PageFile Script(string name) => new(name, "text/javascript; charset=utf-8");
}
