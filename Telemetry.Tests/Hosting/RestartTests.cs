using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Telemetry.Hosting.Run;

namespace Telemetry.Tests.Hosting;

public sealed class RestartTests
{
    [Fact]
    public async Task A_process_that_dies_is_started_again_on_its_port()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");
        var first = await host.GetAsync(probe, "/pid");

        await host.PostAsync(TestHost.Url(probe), "/exit?code=3");
        await host.Lines.LineAsync(line => line.StartsWith("[host] probe-0 ended after", StringComparison.Ordinal) && line.Contains("with exit code 3", StringComparison.Ordinal), host.Limit);
        var exited = await host.App.ResourceNotifications.WaitForResourceAsync("probe", change => change.Snapshot.ExitCode == 3, host.Limit);
        Assert.True(exited.Snapshot.StopTimeStamp is null || exited.Snapshot.StopTimeStamp >= exited.Snapshot.StartTimeStamp);
        await host.HealthyAsync("probe");
        Assert.NotEqual(first, await host.GetAsync(probe, "/pid"));
    }

    [Fact]
    public async Task A_process_that_ends_with_0_has_finished_and_the_application_ends_with_it()
    {
        await using var host = new TestHost();
        host.AddProbe("probe").WithEnvironment("PROBE_EXIT", "0");
        await host.StartAsync();

        var finished = await host.StateAsync("probe", KnownResourceStates.Finished);
        Assert.Equal(0, finished.Snapshot.ExitCode);
        await host.Lines.LineAsync(line => line == "[host] everything has finished", host.Limit);
        Assert.Single(host.States.Lines, "probe-0 Starting");
    }

    [Fact]
    public async Task A_process_that_refuses_its_settings_is_not_started_again_and_its_error_is_shown()
    {
        await using var host = new TestHost();
        host.AddProbe("probe").WithEnvironment("PROBE_EXIT", "many");
        await host.StartAsync();

        var failed = await host.StateAsync("probe", KnownResourceStates.FailedToStart);
        Assert.Equal(2, failed.Snapshot.ExitCode);
        await host.Lines.LineAsync(
            line => line == "[host] probe-0 cannot start, its settings are refused: probe: PROBE_EXIT: 'many' is not accepted: expected a whole number from -1 to 255", host.Limit);
        Assert.Single(host.States.Lines, "probe-0 Starting");
    }

    [Fact]
    public async Task A_process_that_never_gets_healthy_is_given_up()
    {
        await using var host = new TestHost();
        host.AddProbe("probe").WithEnvironment("PROBE_EXIT", "1");
        await host.StartAsync();

        await host.States.LineAsync(state => state == "probe-0 FailedToStart", host.Limit);
        Assert.Equal(TestHost.Timings.StartAttemptsMax, host.States.Lines.Count(state => state == "probe-0 Starting"));
        await host.Lines.LineAsync(line => line == "[host] probe-0 is given up after 3 attempts to start, exit code 1: probe: told to end with 1", host.Limit);
        await host.Lines.LineAsync(line => line == "[host] nothing runs any more: probe-0 failed", host.Limit);
    }

    [Fact]
    public async Task A_process_that_fails_at_first_gets_healthy_later()
    {
        var obstacle = Path.GetTempFileName();
        await using var host = new TestHost();
        host.AddProbe("probe").WithEnvironment("PROBE_EXIT", "1").WithEnvironment("PROBE_EXIT_WHILE", obstacle);
        await host.StartAsync();

        await host.StateAsync("probe", KnownResourceStates.Exited);
        File.Delete(obstacle);
        await host.HealthyAsync("probe");
    }

    [Fact]
    public void The_pause_doubles_up_to_its_bound_and_is_short_again_after_a_stable_run()
    {
        var delay = new RestartDelay(new HostTimings());
        var short1 = TimeSpan.FromSeconds(1);

        var pauses = Enumerable.Range(0, 9).Select(_ => delay.Next(short1).TotalSeconds);
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30, 30], pauses);
        Assert.Equal(0.5, delay.Next(TimeSpan.FromSeconds(30)).TotalSeconds);
        Assert.Equal(1, delay.Next(short1).TotalSeconds);
    }
}
