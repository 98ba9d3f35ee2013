using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Kubernetes;

/// <summary>A cluster that the application is published for, as a Helm chart.</summary>
public sealed class KubernetesEnvironmentResource(string name) : Resource(name)
{
    /// <summary>The chart's name.</summary>
    public string HelmChartName { get; set; } = "aspire";

    /// <summary>The chart's version, and the application's.</summary>
    public string HelmChartVersion { get; set; } = "0.1.0";

    /// <summary>One line about the application.</summary>
    public string HelmChartDescription { get; set; } = "Aspire Helm Chart";

    /// <summary>When images are pulled.</summary>
    public string DefaultImagePullPolicy { get; set; } = "IfNotPresent";

    /// <summary>The type of services.</summary>
    public string DefaultServiceType { get; set; } = "ClusterIP";
}
