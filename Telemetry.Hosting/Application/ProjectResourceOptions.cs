namespace Aspire.Hosting;

/// <summary>What of a project's own files becomes part of its resource.</summary>
public class ProjectResourceOptions
{
    /// <summary>The launch profile; the first one unless given.</summary>
    public string? LaunchProfileName { get; set; }

    /// <summary>Whether no launch profile is used.</summary>
    public bool ExcludeLaunchProfile { get; set; }

    /// <summary>Whether the endpoints of the project's Kestrel configuration are left out.</summary>
    public bool ExcludeKestrelEndpoints { get; set; }
}
