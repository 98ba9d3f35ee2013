namespace Telemetry.Gateway.Dashboard;

/// <summary>The operators' dashboard: a page at / and its files beside it, with relative addresses, so that it works behind a path prefix.</summary>
internal static class DashboardRoutes
{
    /// <summary>Where the page's files are.</summary>
    public const string Folder = "/dashboard";

    private const string Page = "index.html";

    /// <summary>Maps GET and HEAD of the page and of each of its files.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder routes)
    {
        foreach (var (name, file) in DashboardFile.All)
            routes.MapMethods(name == Page ? "/" : $"{Folder}/{name}", [HttpMethods.Get, HttpMethods.Head], file.WriteAsync).ExcludeFromDescription();
    }
}
