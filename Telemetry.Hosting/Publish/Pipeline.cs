using Aspire.Hosting;
using Aspire.Hosting.Pipelines;

namespace Telemetry.Hosting.Publish;

/// <summary>Steps, each after those that it needs.</summary>
internal sealed class Pipeline : IDistributedApplicationPipeline
{
    private readonly Dictionary<string, Step> _steps = new()
    {
        [WellKnownPipelineSteps.Publish] = new Step(WellKnownPipelineSteps.Publish, _ => Task.CompletedTask, [], []),
    };

    public void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null)
    {
        if (!_steps.TryAdd(name, new Step(name, action, Names(dependsOn), Names(requiredBy))))
            throw new DistributedApplicationException($"there are two pipeline steps '{name}'");
    }

    /// <summary>A step and everything that it needs, in the order in which they run.</summary>
    /// <exception cref="DistributedApplicationException">There is no such step, or steps need each other.</exception>
    public IReadOnlyList<string> OrderFor(string name)
    {
        var order = new List<string>();
        Visit(name, [], order);
        return order;
    }

    /// <summary>Runs a step after everything that it needs.</summary>
    /// <exception cref="DistributedApplicationException">There is no such step, or steps need each other.</exception>
    public async Task RunAsync(string name, PipelineStepContext context)
    {
        foreach (var step in OrderFor(name))
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            await _steps[step].Action(context);
        }
    }

    private void Visit(string name, List<string> path, List<string> order)
    {
        if (order.Contains(name))
            return;
        if (!_steps.TryGetValue(name, out var step))
            throw new DistributedApplicationException($"there is no pipeline step '{name}': expected one of {string.Join(", ", _steps.Keys.Order(StringComparer.Ordinal))}");
        if (path.Contains(name))
            throw new DistributedApplicationException($"pipeline steps need each other: {string.Join(" needs ", path.Skip(path.IndexOf(name)).Append(name))}");
        path.Add(name);
        foreach (var needed in step.DependsOn.Concat(_steps.Values.Where(other => other.RequiredBy.Contains(name)).Select(other => other.Name)))
            Visit(needed, path, order);
        path.RemoveAt(path.Count - 1);
        order.Add(name);
    }

    private static string[] Names(object? names) => names switch
    {
        null => [],
        string name => [name],
        IEnumerable<string> several => [.. several],
        _ => throw new ArgumentException($"expected the name of a step or several, not a {names.GetType().Name}", nameof(names)),
    };

    private sealed record Step(string Name, Func<PipelineStepContext, Task> Action, string[] DependsOn, string[] RequiredBy);
}
