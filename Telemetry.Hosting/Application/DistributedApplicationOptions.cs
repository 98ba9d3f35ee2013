namespace Aspire.Hosting;

/// <summary>How an application builder is made.</summary>
public sealed class DistributedApplicationOptions
{
    /// <summary>The command line: <c>--Key:Sub=value</c> is configuration.</summary>
    public string[]? Args { get; set; }

    /// <summary>The assembly that knows the AppHost's folder; the entry assembly unless given.</summary>
    public string? AssemblyName { get; set; }

    /// <summary>Whether there is no dashboard; <c>--Dashboard:Enabled=false</c> says the same.</summary>
    public bool DisableDashboard { get; set; }
}
