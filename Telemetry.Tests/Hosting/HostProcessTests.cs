using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Telemetry.Tests.Hosting;

public sealed class HostProcessTests
{
    [Fact]
    public async Task Services_end_when_their_host_is_killed()
    {
        await using var host = HostProcess.OfProbes();
        await host.UpAsync();
        var services = host.Services();
        Assert.Equal(3, services.Count);

        host.Signal(HostProcess.Kill);
        await Task.WhenAll(services.Select(service => service.WaitForExitAsync(host.Limit)));
        Assert.All(services, service => Assert.True(service.HasExited));
    }

    [Fact]
    public async Task SIGTERM_stops_the_services_in_order_and_ends_with_0()
    {
        await using var host = HostProcess.OfProbes();
        await host.UpAsync();

        host.Signal(HostProcess.Terminate);
        Assert.Equal(0, await host.EndAsync());
        AssertStoppedInOrder(host);
    }

    [Fact]
    public async Task Ctrl_C_reaches_all_processes_and_still_stops_the_services_in_order()
    {
        var gate = Path.GetTempFileName();
        await using var host = HostProcess.OfProbes($"--FrontStopWaitsFor={gate}");
        await host.UpAsync();
        var port = (await host.Output.LineAsync(line => line.StartsWith("[back-0] probe is up", StringComparison.Ordinal), host.Limit)).Split(' ')[^1];

        // A terminal signals its whole foreground group.
        foreach (var service in host.Services())
            HostProcess.Signal(service.Id, HostProcess.Interrupt);
        host.Signal(HostProcess.Interrupt);
        await host.Output.LineAsync(line => line == "[front-0] probe is stopping", host.Limit);
        await host.Output.LineAsync(line => line == "[front-1] probe is stopping", host.Limit);

        // What the others wait for still serves them.
        using (var client = new HttpClient())
        {
            for (var i = 0; i < 50; i++)
                Assert.Equal("Healthy", await client.GetStringAsync($"http://localhost:{port}/health", host.Limit));
        }
        File.Delete(gate);
        Assert.Equal(0, await host.EndAsync());
        AssertStoppedInOrder(host);
    }

    [Fact]
    public async Task A_second_Ctrl_C_kills_what_does_not_stop()
    {
        await using var host = HostProcess.OfProbes("--Hangs=true");
        await host.UpAsync();
        var services = host.Services();

        host.Signal(HostProcess.Interrupt);
        await host.Output.LineAsync(line => line == "[host] stopping; press Ctrl+C again to kill", host.Limit);
        host.Signal(HostProcess.Interrupt);
        Assert.Equal(0, await host.EndAsync());
        Assert.All(services, service => Assert.True(service.HasExited));
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_flag_that_changes_it_before_anything_is_started()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = HostProcess.OfProbes($"--FrontPort={port}");

        Assert.Equal(1, await host.EndAsync());
        var line = Assert.Single(host.Errors.Lines);
        var start = string.Create(CultureInfo.InvariantCulture,
            $"apphost: port {port} is in use by another program (wanted for endpoint http of front): stop that program, or choose another port: --FrontPort=");
        Assert.StartsWith(start, line, StringComparison.Ordinal);
        Assert.InRange(int.Parse(line[start.Length..], CultureInfo.InvariantCulture), port + 1, 65535);
        Assert.Empty(host.Output.Lines);
    }

    [Fact]
    public async Task A_project_that_is_not_built_is_named_before_anything_is_started()
    {
        await using var host = HostProcess.OfProbes("--Missing=true");

        Assert.Equal(1, await host.EndAsync());
        Assert.Matches("^apphost: missing is not built: .*Missing.dll is missing; build it with: dotnet build ", Assert.Single(host.Errors.Lines));
        Assert.Empty(host.Output.Lines);
    }

    [Fact]
    public async Task An_application_of_which_nothing_can_run_ends_with_1()
    {
        await using var host = HostProcess.OfProbes("--BackExit=2");

        Assert.Equal(1, await host.EndAsync());
        Assert.Contains("[host] back-0 cannot start, its settings are refused: probe: told to end with 2", host.Errors.Lines);
        Assert.Contains("[host] front-0 is not started: back-0 failed to start", host.Errors.Lines);
        Assert.StartsWith("[host] nothing runs any more: ", host.Errors.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_things_are_is_said_once_everything_is_up()
    {
        await using var host = HostProcess.OfProbes();
        await host.UpAsync();

        var line = await host.Output.LineAsync(line => line.StartsWith("  front      http://localhost:", StringComparison.Ordinal), host.Limit);
        await host.Output.LineAsync(line => line.StartsWith("  dashboard  http://localhost:", StringComparison.Ordinal), host.Limit);
        await host.Output.LineAsync(line => line == "  Ctrl+C stops it.", host.Limit);
        using var client = new HttpClient();
        Assert.Equal("Healthy", await client.GetStringAsync(line.Split(' ')[^1] + "/health", host.Limit));
    }

    private static void AssertStoppedInOrder(HostProcess host)
    {
        var stopped = host.Output.Lines.Where(line => line.EndsWith("probe has stopped", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, stopped.Count);
        Assert.Equal("[back-0] probe has stopped", stopped[2]);
        Assert.StartsWith("[host] stopped after ", host.Output.Lines[^1], StringComparison.Ordinal);
        Assert.Empty(host.Errors.Lines);
    }
}
