using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.Hosting.Publish;

/// <summary>
/// Writes the application as a Helm chart: <c>Chart.yaml</c>, <c>values.yaml</c>, and a folder of templates for each
/// resource. The folders of an earlier chart are replaced; whatever else lies in the output folder stays.
/// </summary>
internal static class ChartWriter
{
    /// <summary>Writes the chart.</summary>
    /// <exception cref="DistributedApplicationException">The model cannot be published.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be written.</exception>
    public static async Task WriteAsync(
        PipelineStepContext step, IResourceCollection resources, DistributedApplicationExecutionContext execution, KubernetesEnvironmentResource environment)
    {
        var folder = step.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
        var cancellationToken = step.CancellationToken;
        var values = new Dictionary<string, Dictionary<string, Dictionary<string, string>>>
        {
            ["parameters"] = [],
            ["secrets"] = [],
            ["config"] = [],
        };
        foreach (var resource in resources.OfType<ProjectResource>())
        {
            var variables = await PublishedEnvironment.OfAsync(resource, execution, cancellationToken);
            var published = PublishedResource.Of(resource, environment, variables);
            foreach (var customization in resource.Annotations.OfType<KubernetesServiceCustomizationAnnotation>())
                customization.Configure(published);
            foreach (var additional in published.AdditionalResources)
            {
                foreach (var (label, value) in PublishedResource.Labels(resource, environment))
                    additional.Metadata.Labels.TryAdd(label, value);
            }
            await WriteTemplatesAsync(Path.Combine(folder, "templates", resource.Name), resource, published, cancellationToken);

            var key = HelmExpression.Key(resource.Name);
            values["parameters"][key] = new() { [key + "_image"] = $"{resource.Name}:latest" };
            AddDefaults(values["secrets"], key, variables.Where(variable => variable.Value.IsSecret));
            AddDefaults(values["config"], key, variables.Where(variable => !variable.Value.IsSecret));
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "Chart.yaml"), ChartSerializer.Serialize(new HelmChart(environment)), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "values.yaml"), ChartSerializer.Serialize(values), cancellationToken);
    }

    private static void AddDefaults(
        Dictionary<string, Dictionary<string, string>> section, string resource, IEnumerable<KeyValuePair<string, PublishedVariable>> variables)
    {
        var defaults = variables.Where(variable => variable.Value.Default is not null)
            .ToDictionary(variable => HelmExpression.Key(variable.Key), variable => variable.Value.Default!);
        if (defaults.Count > 0)
            section[resource] = defaults;
    }

    private static async Task WriteTemplatesAsync(string folder, IResource resource, KubernetesResource published, CancellationToken cancellationToken)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var item in published.All)
            await File.WriteAllTextAsync(Path.Combine(folder, FileName(resource, item)), "---\n" + ChartSerializer.Serialize(item), cancellationToken);
    }

    private static string FileName(IResource resource, BaseKubernetesResource item)
    {
        var name = string.IsNullOrWhiteSpace(item.Metadata.Name) ? item.GetType().Name.ToLowerInvariant() : item.Metadata.Name;
        var prefix = resource.Name.ToLowerInvariant() + "-";
        return (name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name) + ".yaml";
    }

    /// <summary>Chart.yaml.</summary>
    private sealed class HelmChart(KubernetesEnvironmentResource environment)
    {
        public string ApiVersion { get; } = "v2";

        public string Name { get; } = environment.HelmChartName;

        public string Version { get; } = environment.HelmChartVersion;

        public string KubeVersion { get; } = ">= 1.18.0-0";

        public string Description { get; } = environment.HelmChartDescription;

        public string Type { get; } = "application";

        public List<string> Keywords { get; } = ["aspire", "kubernetes"];

        public string AppVersion { get; } = environment.HelmChartVersion;

        public bool Deprecated { get; }
    }
}
