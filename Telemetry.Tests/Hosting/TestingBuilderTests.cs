using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Telemetry.Hosting.Run;
using Telemetry.Tests.Probe;

namespace Telemetry.Tests.Hosting;

/// <summary>The testing builder, on the system's AppHost and on that of the probes (one <c>back</c>, two <c>front</c>).</summary>
public sealed class TestingBuilderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_AppHosts_program_has_run_up_to_its_build_with_its_arguments_and_launch_profile()
    {
        var folder = Directory.CreateTempSubdirectory();
        await using (var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Telemetry_AppHost>(
            ["--Streamers=3", $"--DataFolder={Path.Combine(folder.FullName, "run")}", "--Parameters:colour=green"], Cancellation))
        {
            Assert.Equal(3, builder.CreateResourceBuilder<ProjectResource>("streamer").Resource.Annotations.OfType<ReplicaAnnotation>().Last().Replicas);
            Assert.Equal(Projects.Telemetry_AppHost.ProjectPath, builder.AppHostDirectory);
            Assert.Equal(("Telemetry.AppHost", "Development"), (builder.Environment.ApplicationName, builder.Environment.EnvironmentName));
            Assert.Equal("false", builder.Configuration["Dashboard:Enabled"]);
            Assert.True(builder.ExecutionContext.IsRunMode);
            Assert.Equal("green", await builder.AddParameter("colour").Resource.GetValueAsync(Cancellation));
            Assert.Throws<InvalidOperationException>(() => builder.CreateResourceBuilder<ProjectResource>("absent"));
        }
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_program_that_refuses_its_settings_is_an_exception_with_its_exit_code()
    {
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => DistributedApplicationTestingBuilder.CreateAsync<Projects.Telemetry_AppHost>(["--Streamers=0"], Cancellation));
        Assert.Equal("Telemetry.AppHost has ended without running an application, exit code 2; what it says is on standard error", error.Message);
    }

    [Fact]
    public async Task A_program_that_throws_is_an_exception_with_its_cause()
    {
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(() => CreateAsync("--FrontPort=none"));
        Assert.StartsWith("Telemetry.Tests.Probe failed: ", error.Message, StringComparison.Ordinal);
        Assert.IsType<FormatException>(error.InnerException);
    }

    [Fact]
    public async Task A_program_that_does_not_come_to_its_end_can_be_given_up()
    {
        using var given = new CancellationTokenSource();
        await given.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => DistributedApplicationTestingBuilder.CreateAsync<ProbeProject>(["host"], given.Token));
        await Assert.ThrowsAsync<ArgumentException>(() => CreateAsync(""));
    }

    [Fact]
    public async Task A_builder_that_was_disposed_of_builds_nothing()
    {
        var builder = await CreateAsync();
        await builder.DisposeAsync();
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(() => builder.BuildAsync(Cancellation));
        Assert.IsType<TaskCanceledException>(error.InnerException);
    }

    [Fact]
    public async Task What_fails_at_start_ends_the_wait_for_it_and_for_what_waits_for_it()
    {
        await using var builder = await CreateAsync("--BackExit=1");
        await using var app = await builder.BuildAsync(Cancellation);
        await app.StartAsync(Cancellation);

        var back = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.ResourceNotifications.WaitForResourceHealthyAsync("back", Cancellation));
        Assert.Equal("back-0 failed to start", back.Message);
        await Assert.ThrowsAsync<DistributedApplicationException>(() => app.ResourceNotifications.WaitForResourceHealthyAsync("front", Cancellation));
        await app.ResourceNotifications.WaitForResourceAsync("front", KnownResourceStates.FailedToStart, Cancellation);
    }

    [Fact]
    public async Task A_test_changes_the_model_and_asks_what_runs()
    {
        await using var builder = await CreateAsync("--ConnectionStrings:store=Host=here");
        var back = builder.CreateResourceBuilder<ProjectResource>("back");
        back.WithReference(builder.AddConnectionString("store")).WithReference(builder.AddConnectionString("absent"), optional: true).WithEnvironment("PROBE_HANGS", "false");
        await using var app = await builder.BuildAsync(Cancellation);
        Assert.Equal("the application has not started", Assert.Throws<InvalidOperationException>(() => app.CreateHttpClient("back")).Message);
        await app.StartAsync(Cancellation);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("back", Cancellation);

        using var http = app.CreateHttpClient("back", "http");
        Assert.Equal(app.GetEndpoint("back"), http.BaseAddress);
        Assert.Equal("Host=here", await http.GetStringAsync(new Uri("/env/ConnectionStrings__store", UriKind.Relative), Cancellation));
        using var absent = await http.GetAsync(new Uri("/env/ConnectionStrings__absent", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
        Assert.Equal("Host=here", await app.GetConnectionStringAsync("store", Cancellation));

        var running = await app.ResourceNotifications.WaitForResourceAsync("back", change => change.Snapshot.State?.Text == KnownResourceStates.Running, Cancellation);
        var processId = running.Snapshot.Properties.Single(property => property.Name == "executable.pid").Value;
        Assert.Equal(await http.GetStringAsync(new Uri("/pid", UriKind.Relative), Cancellation), Convert.ToString(processId, CultureInfo.InvariantCulture));

        Assert.Throws<ArgumentException>(() => app.CreateHttpClient("nobody"));
        Assert.Throws<ArgumentException>(() => app.GetEndpoint("back", "grpc"));
        await Assert.ThrowsAsync<ArgumentException>(() => app.GetConnectionStringAsync("back", Cancellation).AsTask());
    }

    [Fact]
    public async Task Ports_are_random_unless_the_arguments_say_otherwise()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var fixedPort = string.Create(CultureInfo.InvariantCulture, $"--FrontPort={((IPEndPoint)other.LocalEndpoint).Port}");
        await using (var builder = await CreateAsync(fixedPort))
        await using (var app = await builder.BuildAsync(Cancellation))
        {
            await app.StartAsync(Cancellation);
            await app.ResourceNotifications.WaitForResourceHealthyAsync("front", Cancellation);
        }
        await using (var builder = await CreateAsync(fixedPort, $"--{RunPlan.RandomizePorts}=false"))
        await using (var app = await builder.BuildAsync(Cancellation))
            Assert.StartsWith("port ", (await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<ProbeProject>(["host", .. args], Cancellation);
}
