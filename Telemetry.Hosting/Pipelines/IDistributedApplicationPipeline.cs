using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Pipelines;

/// <summary>The steps by which an application is published.</summary>
[Experimental("ASPIREPIPELINES001")]
public interface IDistributedApplicationPipeline
{
    /// <summary>Adds a step.</summary>
    /// <param name="name">The name, unique in the pipeline.</param>
    /// <param name="action">What it does.</param>
    /// <param name="dependsOn">The name of a step, or names, that it comes after.</param>
    /// <param name="requiredBy">The name of a step, or names, that come after it and need it.</param>
    void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null);
}

/// <summary>What a step works with.</summary>
[Experimental("ASPIREPIPELINES001")]
public sealed class PipelineStepContext
{
    internal PipelineStepContext(IServiceProvider services, ILogger logger, CancellationToken cancellationToken)
    {
        Services = services;
        Logger = logger;
        CancellationToken = cancellationToken;
    }

    /// <summary>The AppHost's own services, as <see cref="IPipelineOutputService"/>.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Where a step says what it does.</summary>
    public ILogger Logger { get; }

    /// <summary>Ends when the publishing is given up.</summary>
    public CancellationToken CancellationToken { get; }
}

/// <summary>The names of steps that every pipeline has.</summary>
[Experimental("ASPIREPIPELINES001")]
public static class WellKnownPipelineSteps
{
    /// <summary>Everything is written.</summary>
    public const string Publish = "publish";
}

/// <summary>Says where a pipeline writes.</summary>
[Experimental("ASPIREPIPELINES004")]
public interface IPipelineOutputService
{
    /// <summary>The absolute path of the folder; it may not exist yet.</summary>
    string GetOutputDirectory();
}
