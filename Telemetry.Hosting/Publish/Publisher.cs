using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Telemetry.Hosting.Run;

namespace Telemetry.Hosting.Publish;

/// <summary>Publishes the application: runs the pipeline's step that <c>--step</c> names, into the folder of <c>--output-path</c>.</summary>
internal sealed class Publisher(
    Pipeline pipeline, IResourceCollection resources, IConfiguration configuration, HostConsole console, IServiceProvider services, ILogger<Publisher> logger)
    : IPipelineOutputService
{
    // Where the command was typed, as for every path on a command line.
    private readonly string _folder = Path.GetFullPath(configuration["output-path"] is { Length: > 0 } path ? path : "aspire-output");

    public string GetOutputDirectory() => _folder;

    /// <summary>Publishes, and says where the result is.</summary>
    /// <exception cref="DistributedApplicationException">It cannot be published.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var environment = resources.OfType<KubernetesEnvironmentResource>().FirstOrDefault()
            ?? throw new DistributedApplicationException("there is nothing to publish for: AppHost.cs adds no Kubernetes environment");
        RefuseFile();
        try
        {
            await pipeline.RunAsync(configuration["step"] is { Length: > 0 } step ? step : WellKnownPipelineSteps.Publish, new PipelineStepContext(services, logger, cancellationToken));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"cannot write the chart to {_folder}: {error.Message}", error);
        }
        console.Text($"chart {environment.HelmChartName} {environment.HelmChartVersion} is in {_folder}; install it with: helm install {environment.HelmChartName} {Quoted(_folder)}");
    }

    /// <summary>The file system's own message would name a folder inside of the file.</summary>
    private void RefuseFile()
    {
        for (var path = _folder; path is not null; path = Path.GetDirectoryName(path))
        {
            if (File.Exists(path))
                throw new DistributedApplicationException($"cannot write the chart to {_folder}: {path} is a file");
        }
    }

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"'{path}'" : path;
}
