using System.Globalization;
using System.Text;
using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Hosting.Run;

/// <summary>What the person who started the application wants to know when it is up: where things are, and how to stop.</summary>
internal static class ReadyReport
{
    public static string Text(IReadOnlyList<PlannedResource> resources, IReadOnlyList<string> failed, string? dashboard, TimeSpan elapsed)
    {
        var lines = resources.SelectMany(Addresses).ToList();
        if (dashboard is not null)
            lines.Add(("dashboard", dashboard));
        var width = lines.Count == 0 ? 0 : lines.Max(line => line.Name.Length);
        var text = new StringBuilder().AppendLine();
        text.AppendLine(failed.Count == 0
            ? string.Create(CultureInfo.InvariantCulture, $"Everything is up after {elapsed.TotalSeconds:0.0} s.")
            : string.Create(CultureInfo.InvariantCulture, $"Up after {elapsed.TotalSeconds:0.0} s, but not {string.Join(", ", failed)}: see above."));
        foreach (var (name, address) in lines)
            text.AppendLine(CultureInfo.InvariantCulture, $"  {name.PadRight(width)}  {address}");
        return text.AppendLine("  Ctrl+C stops it.").ToString();
    }

    /// <summary>The addresses of a resource that are meant for people, each with its name.</summary>
    public static IEnumerable<(string Name, string Address)> Addresses(PlannedResource resource)
    {
        var external = resource.Endpoints.Where(endpoint => endpoint.Annotation.IsExternal).ToList();
        foreach (var endpoint in external)
        {
            var name = external.Count == 1 ? resource.Name : $"{resource.Name} {endpoint.Annotation.Name}";
            yield return (name, new EndpointReference(resource.Resource, endpoint.Annotation.Name).Url);
        }
        foreach (var annotation in resource.Resource.Annotations)
        {
            if (annotation is ResourceUrlAnnotation url)
                yield return Address(resource, url, url.Endpoint);
            else if (annotation is EndpointUrlAnnotation later)
                yield return Address(resource, later.Create(later.Endpoint), later.Endpoint);
        }
    }

    private static (string Name, string Address) Address(PlannedResource resource, ResourceUrlAnnotation url, EndpointReference? endpoint)
    {
        var address = endpoint is null ? new Uri(url.Url) : new Uri(new Uri(endpoint.Url), url.Url);
        // A path is read, not clicked.
        return (url.DisplayText ?? resource.Name, address.IsFile ? address.LocalPath : address.ToString());
    }
}
