using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.Tests.Hosting;

public sealed class OrderTests
{
    [Fact]
    public async Task A_resource_waits_until_every_replica_of_its_dependency_is_healthy()
    {
        await using var host = new TestHost();
        var back = host.AddProbe("back").WithReplicas(2).WithEnvironment("PROBE_HEALTHY", "false");
        host.AddProbe("front").WaitFor(back);
        await host.StartAsync();

        await host.PostAsync(await host.ReplicaUrlAsync("back-0"), "/healthy");
        await host.App.ResourceNotifications.WaitForResourceAsync("back", change => change.IsHealthy, host.Limit);
        await host.States.LineAsync(state => state == "front-0 Waiting", host.Limit);
        Assert.DoesNotContain("front-0 Starting", host.States.Lines);

        await host.PostAsync(await host.ReplicaUrlAsync("back-1"), "/healthy");
        await host.HealthyAsync("front");
        var events = host.Events().ToList();
        var bothHealthy = events.FindIndex(change => change.ResourceId == "back-1" && change.IsHealthy);
        Assert.True(bothHealthy < events.FindIndex(change => change.ResourceId == "front-0" && change.State == KnownResourceStates.Starting));
    }

    [Fact]
    public async Task A_resource_is_not_started_when_its_dependency_fails_and_the_reason_is_said()
    {
        await using var host = new TestHost();
        var back = host.AddProbe("back").WithEnvironment("PROBE_EXIT", "2");
        host.AddProbe("front").WaitFor(back);
        await host.StartAsync();

        await host.StateAsync("front", KnownResourceStates.FailedToStart);
        Assert.Equal("[host] front-0 is not started: back-0 failed to start", await host.Lines.LineAsync(line => line.StartsWith("[host] front-0 is", StringComparison.Ordinal), host.Limit));
        Assert.DoesNotContain("front-0 Starting", host.States.Lines);
    }

    [Fact]
    public async Task A_stop_ends_a_resource_after_everything_that_waits_for_it()
    {
        await using var host = new TestHost();
        var back = host.AddProbe("back");
        var middle = host.AddProbe("middle").WithReplicas(2).WaitFor(back);
        host.AddProbe("front").WaitFor(middle);
        await host.StartAsync();
        await host.HealthyAsync("front");

        await host.App.StopAsync(host.Limit);
        await host.States.LineAsync(state => state == "back-0 Finished", host.Limit);
        var order = new[] { "front-0 Stopping", "front-0 Finished", "middle-0 Stopping", "middle-0 Finished", "back-0 Stopping", "back-0 Finished" };
        Assert.Equal(order, host.States.Lines.Where(order.Contains));
        Assert.True(host.States.Lines.ToList().IndexOf("middle-1 Finished") < host.States.Lines.ToList().IndexOf("back-0 Stopping"));
        Assert.Contains("[back-0] probe has stopped", host.Lines.Lines);
    }

    [Fact]
    public async Task A_process_that_does_not_stop_in_time_is_killed()
    {
        await using var host = new TestHost();
        host.Builder.Services.AddSingleton(TestHost.Timings with { StopTimeout = TimeSpan.FromMilliseconds(300) });
        host.AddProbe("probe").WithEnvironment("PROBE_HANGS", "true");
        await host.StartAsync();
        await host.HealthyAsync("probe");

        await host.App.StopAsync(host.Limit);
        await host.States.LineAsync(state => state == "probe-0 Exited", host.Limit);
        Assert.Equal(128 + HostProcess.Kill, host.Events()[^1].Snapshot.ExitCode);
        Assert.Contains("[host] probe-0 did not stop within 0.3 s and is killed", host.Lines.Lines);
    }

    [Fact]
    public async Task Resources_that_wait_for_each_other_are_refused()
    {
        await using var host = new TestHost();
        var a = host.AddProbe("a");
        var b = host.AddProbe("b").WaitFor(a);
        a.WaitFor(b);

        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.Equal("resources wait for each other: a waits for b waits for a", error.Message);
    }

    [Fact]
    public async Task A_replica_that_turns_unhealthy_is_said_to_be_and_goes_on()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        var process = await host.GetAsync(probe, "/pid");

        await host.PostAsync(TestHost.Url(probe), "/unhealthy");
        await host.Lines.LineAsync(line => line.StartsWith("[host] probe-0 is unhealthy: GET http://localhost:", StringComparison.Ordinal) && line.EndsWith("/health: status 503 instead of 200", StringComparison.Ordinal), host.Limit);
        await host.PostAsync(TestHost.Url(probe), "/healthy");
        await host.Lines.LineAsync(line => line == "[host] probe-0 is healthy again", host.Limit);
        Assert.Equal(process, await host.GetAsync(probe, "/pid"));
    }
}
