using System.Net;
using System.Text.Json;
using Aspire.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.Tests.Hosting;

public sealed class DashboardCommandTests
{
    [Fact]
    public async Task A_restart_is_another_process_and_no_failure()
    {
        await using var host = new TestHost(DashboardClient.Args);
        host.AddProbe("probe").WithReplicas(2);
        await host.StartAsync();
        await host.HealthyAsync("probe");
        using var dashboard = await DashboardClient.SignInAsync(host);
        var (first, second) = (Process(await dashboard.ReplicaAsync("probe-0")), Process(await dashboard.ReplicaAsync("probe-1")));

        Assert.Equal(HttpStatusCode.Accepted, await dashboard.CommandAsync("/api/replicas/probe-1/restart"));
        await host.Lines.LineAsync(line => line == "[host] probe-1 is stopped by the dashboard: exit code 0", host.Limit);
        await host.HealthyAsync("probe");
        var restarted = await dashboard.ReplicaAsync("probe-1", "Running");
        Assert.NotEqual(second, Process(restarted));
        Assert.Equal(0, restarted.GetProperty("restarts").GetInt32());
        Assert.Equal(0, restarted.GetProperty("exitCode").GetInt32());
        Assert.Equal(first, Process(await dashboard.ReplicaAsync("probe-0")));

        // The whole resource.
        await dashboard.CommandAsync("/api/resources/probe/restart");
        await host.Lines.LineAsync(line => line == "[host] probe-0 is stopped by the dashboard: exit code 0", host.Limit);
        await host.HealthyAsync("probe");
        Assert.NotEqual(first, Process(await dashboard.ReplicaAsync("probe-0", "Running")));
        Assert.DoesNotContain(host.Lines.Lines, line => line.Contains("it is started again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_stopped_stays_stopped_and_so_does_the_application_live_without_it()
    {
        await using var host = new TestHost(DashboardClient.Args);
        var back = host.AddProbe("back");
        host.AddProbe("front").WaitFor(back);
        await host.StartAsync();
        await host.HealthyAsync("front");
        using var dashboard = await DashboardClient.SignInAsync(host);

        await dashboard.CommandAsync("/api/resources/back/stop");
        var stopped = await dashboard.ReplicaAsync("back-0", "Stopped");
        Assert.Equal("off", stopped.GetProperty("kind").GetString());
        Assert.False(stopped.TryGetProperty("processId", out _));
        Assert.Equal("Running", (await dashboard.ReplicaAsync("front-0")).GetProperty("state").GetString());

        await dashboard.CommandAsync("/api/resources/front/stop");
        await dashboard.ReplicaAsync("front-0", "Stopped");
        // Nothing runs, and still there is an application to start things in.
        await dashboard.CommandAsync("/api/resources/front/start");
        Assert.Equal("for back", (await dashboard.ReplicaAsync("front-0", "Waiting")).GetProperty("detail").GetString());
        await dashboard.CommandAsync("/api/resources/back/start");
        await host.HealthyAsync("back");
        await host.HealthyAsync("front");
        Assert.DoesNotContain(host.Lines.Lines, line => line.Contains("nothing runs", StringComparison.Ordinal) || line.Contains("everything has finished", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_application_ends_when_what_was_started_again_ends_by_itself()
    {
        await using var host = new TestHost(DashboardClient.Args);
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        using var dashboard = await DashboardClient.SignInAsync(host);
        await dashboard.CommandAsync("/api/resources/probe/stop");
        await dashboard.ReplicaAsync("probe-0", "Stopped");
        await dashboard.CommandAsync("/api/resources/probe/start");
        await host.HealthyAsync("probe");

        await host.PostAsync(TestHost.Url(probe), "/exit?code=0");
        await host.Lines.LineAsync(line => line == "[host] everything has finished", host.Limit);
    }

    [Fact]
    public async Task A_start_ends_the_pause_after_a_failure()
    {
        await using var host = new TestHost(DashboardClient.Args);
        var hour = TimeSpan.FromHours(1);
        host.Builder.Services.AddSingleton(TestHost.Timings with { RestartDelayMin = hour, RestartDelayMax = hour });
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        using var dashboard = await DashboardClient.SignInAsync(host);
        var before = Process(await dashboard.ReplicaAsync("probe-0"));

        await host.PostAsync(TestHost.Url(probe), "/exit?code=3");
        var pausing = await dashboard.ReplicaAsync("probe-0", "Restarting");
        Assert.Equal("exit code 3", pausing.GetProperty("detail").GetString());
        Assert.Equal(1, pausing.GetProperty("restarts").GetInt32());
        await dashboard.CommandAsync("/api/replicas/probe-0/start");
        await host.HealthyAsync("probe");
        var running = await dashboard.ReplicaAsync("probe-0", "Running");
        Assert.NotEqual(before, Process(running));
        Assert.False(running.TryGetProperty("nextStartAt", out _));

        // One that pauses can be stopped too.
        await host.PostAsync(TestHost.Url(probe), "/exit?code=3");
        await dashboard.ReplicaAsync("probe-0", "Restarting");
        await dashboard.CommandAsync("/api/replicas/probe-0/stop");
        await dashboard.ReplicaAsync("probe-0", "Stopped");
    }

    [Fact]
    public async Task One_that_waits_can_be_stopped_and_started_at_once()
    {
        await using var host = new TestHost(DashboardClient.Args);
        var back = host.AddProbe("back").WithEnvironment("PROBE_HEALTHY", "false");
        host.AddProbe("front").WaitFor(back);
        await host.StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        await dashboard.ReplicaAsync("front-0", "Waiting");

        await dashboard.CommandAsync("/api/resources/front/stop");
        await dashboard.ReplicaAsync("front-0", "Stopped");
        await dashboard.CommandAsync("/api/resources/front/start");
        await dashboard.ReplicaAsync("front-0", "Waiting");
        await dashboard.CommandAsync("/api/resources/front/start");
        await host.HealthyAsync("front");
        var back0 = await dashboard.ReplicaAsync("back-0", replica => replica.GetProperty("detail").GetString()!.Contains("status", StringComparison.Ordinal));
        Assert.Matches("^GET .*/health: status 503 instead of 200$", back0.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("/api/resources/nothing/stop")]
    [InlineData("/api/replicas/probe/stop")]
    [InlineData("/api/resources/probe/explode")]
    public async Task What_does_not_exist_is_not_found(string path)
    {
        await using var host = new TestHost(DashboardClient.Args);
        host.AddProbe("probe");
        await host.StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        Assert.Equal(HttpStatusCode.NotFound, await dashboard.CommandAsync(path));
    }

    private static int Process(JsonElement replica) => replica.GetProperty("processId").GetInt32();
}
