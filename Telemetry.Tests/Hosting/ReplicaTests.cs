using System.Globalization;
using System.Net;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Telemetry.Tests.Hosting;

public sealed class ReplicaTests
{
    [Fact]
    public async Task Each_replica_is_a_process_with_its_own_port_and_a_proxy_gives_them_turns()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe").WithReplicas(2);
        await host.StartAsync();
        await host.HealthyAsync("probe");

        var seen = new List<(string Pid, string Port)>();
        for (var i = 0; i < 4; i++)
        {
            // A connection stays with its replica, so each question needs its own.
            using var client = new HttpClient();
            var pid = await client.GetStringAsync(TestHost.Url(probe) + "/pid", host.Limit);
            var port = await client.GetStringAsync(TestHost.Url(probe) + "/env/PORT", host.Limit);
            seen.Add((pid, port));
        }
        Assert.Equal(2, seen.Select(s => s.Pid).Distinct().Count());
        Assert.Equal(2, seen.Select(s => s.Port).Distinct().Count());
        Assert.Equal(seen[0], seen[2]);
        Assert.Equal(seen[1], seen[3]);
        Assert.DoesNotContain(probe.GetEndpoint("http").Port.ToString(CultureInfo.InvariantCulture), seen.Select(s => s.Port));
    }

    [Fact]
    public async Task A_single_replica_listens_on_the_outer_port_itself()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe");
        await host.StartAsync();
        await host.HealthyAsync("probe");

        Assert.Equal(probe.GetEndpoint("http").Port.ToString(CultureInfo.InvariantCulture), await host.GetAsync(probe, "/env/PORT"));
    }

    [Fact]
    public async Task The_proxy_passes_over_a_replica_that_has_died()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe").WithReplicas(2);
        await host.StartAsync();
        await host.HealthyAsync("probe");

        await host.PostAsync(await host.ReplicaUrlAsync("probe-0"), "/exit?code=0");
        await host.StateAsync("probe", KnownResourceStates.Finished);
        for (var i = 0; i < 3; i++)
        {
            using var client = new HttpClient();
            using var response = await client.GetAsync(TestHost.Url(probe) + "/pid", host.Limit);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task An_endpoint_without_a_variable_is_given_by_ASPNETCORE_URLS()
    {
        await using var host = new TestHost();
        var probe = host.Builder.AddProject<Probe.ProbeProject>("probe", launchProfileName: null).WithHttpEndpoint().WithHttpHealthCheck("/health");
        await host.StartAsync();
        await host.HealthyAsync("probe");

        Assert.Equal(TestHost.Url(probe), await host.GetAsync(probe, "/env/ASPNETCORE_URLS"));
    }

    [Fact]
    public async Task Two_endpoints_of_a_process_have_a_port_each()
    {
        await using var host = new TestHost();
        var probe = host.AddProbe("probe").WithHttpEndpoint(name: "metrics", env: "METRICS_PORT");
        await host.StartAsync();
        await host.HealthyAsync("probe");

        var metrics = probe.GetEndpoint("metrics");
        Assert.NotEqual(probe.GetEndpoint("http").Port, metrics.Port);
        Assert.Equal(await host.GetAsync(probe, "/pid"), await host.Client.GetStringAsync(metrics.Url + "/pid", host.Limit));
    }

    [Fact]
    public async Task Replicas_cannot_share_a_fixed_target_port()
    {
        await using var host = new TestHost();
        host.Builder.AddProject<Probe.ProbeProject>("probe", launchProfileName: null).WithReplicas(2).WithHttpEndpoint(targetPort: 20001);

        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.Equal("endpoint http of probe cannot have a fixed target port: 2 replicas cannot listen on one port", error.Message);
    }

    [Fact]
    public async Task Every_line_of_a_process_has_its_replica_in_front()
    {
        await using var host = new TestHost();
        host.AddProbe("probe").WithReplicas(2);
        host.AddProbe("broken").WithEnvironment("PROBE_EXIT", "2");
        await host.StartAsync();
        await host.HealthyAsync("probe");

        await host.Lines.LineAsync(line => line.StartsWith("[probe-0] probe is up", StringComparison.Ordinal), host.Limit);
        await host.Lines.LineAsync(line => line.StartsWith("[probe-1] probe is up", StringComparison.Ordinal), host.Limit);
        await host.Lines.LineAsync(line => line == "[broken-0] probe: told to end with 2", host.Limit);
    }
}
