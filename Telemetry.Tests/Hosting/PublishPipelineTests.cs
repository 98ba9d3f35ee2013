using Aspire.Hosting;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Hosting.Publish;

namespace Telemetry.Tests.Hosting;

public sealed class PublishPipelineTests
{
    private readonly Pipeline _pipeline = new();
    private readonly List<string> _ran = [];

    [Fact]
    public async Task A_step_runs_after_what_it_depends_on_and_before_what_requires_it()
    {
        Add("last", dependsOn: new[] { "first", "middle" }, requiredBy: WellKnownPipelineSteps.Publish);
        Add("middle", dependsOn: "first");
        Add("first", requiredBy: WellKnownPipelineSteps.Publish);
        await RunAsync(WellKnownPipelineSteps.Publish);
        Assert.Equal(["first", "middle", "last"], _ran);
    }

    [Fact]
    public async Task Only_what_is_needed_runs_and_only_once()
    {
        Add("a", requiredBy: new[] { "b", "c" });
        Add("b", requiredBy: "c");
        Add("c");
        Add("other", requiredBy: WellKnownPipelineSteps.Publish);
        await RunAsync("c");
        Assert.Equal(["a", "b", "c"], _ran);
    }

    [Fact]
    public void Steps_that_need_each_other_are_refused()
    {
        Add("a", dependsOn: "b");
        Add("b", dependsOn: "a", requiredBy: WellKnownPipelineSteps.Publish);
        var error = Assert.Throws<DistributedApplicationException>(() => _pipeline.OrderFor(WellKnownPipelineSteps.Publish));
        Assert.Equal("pipeline steps need each other: b needs a needs b", error.Message);
    }

    [Fact]
    public void A_step_that_does_not_exist_is_named_with_those_that_do()
    {
        Add("publish-k8s", requiredBy: WellKnownPipelineSteps.Publish);
        var error = Assert.Throws<DistributedApplicationException>(() => _pipeline.OrderFor("deploy"));
        Assert.Equal("there is no pipeline step 'deploy': expected one of publish, publish-k8s", error.Message);
    }

    [Fact]
    public void There_are_no_two_steps_of_one_name()
    {
        Add("a");
        Assert.Throws<DistributedApplicationException>(() => Add("a"));
    }

    [Fact]
    public async Task A_step_that_fails_ends_the_pipeline()
    {
        _pipeline.AddStep("bad", _ => throw new IOException("full"), requiredBy: WellKnownPipelineSteps.Publish);
        Add("after", dependsOn: "bad", requiredBy: WellKnownPipelineSteps.Publish);
        await Assert.ThrowsAsync<IOException>(() => RunAsync(WellKnownPipelineSteps.Publish));
        Assert.Empty(_ran);
    }

    private void Add(string name, object? dependsOn = null, object? requiredBy = null) =>
        _pipeline.AddStep(
            name,
            _ =>
            {
                _ran.Add(name);
                return Task.CompletedTask;
            },
            dependsOn,
            requiredBy);

    private async Task RunAsync(string step)
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        await _pipeline.RunAsync(step, new PipelineStepContext(services, NullLogger.Instance, TestContext.Current.CancellationToken));
    }
}
