using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.ServiceDefaults;

public sealed class ServiceHostTests
{
    private sealed record PlainOptions : ServiceOptions;

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/metrics")]
    public async Task Every_service_answers_health_and_metrics_in_every_environment(string path)
    {
        await using var app = Start(new PlainOptions(), port: 0);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = Assert.Single(app.BoundAddresses()) };
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task A_service_listens_on_loopback_only_unless_it_is_told_otherwise()
    {
        await using var app = Start(new PlainOptions(), port: 0);
        await app.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(IPAddress.IsLoopback(IPAddress.Parse(Assert.Single(app.BoundAddresses()).Host)));
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_how_to_change_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var error = await Assert.ThrowsAsync<StartupException>(() => Start(new PlainOptions(), port).RunToEndAsync());
        Assert.StartsWith($"port {port} is in use by another program", error.Message, StringComparison.Ordinal);
        Assert.Contains("--port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_listen_address_that_is_none_is_a_bad_setting_before_anything_is_built()
    {
        var error = Assert.Throws<SettingException>(() => Start(new PlainOptions { ListenAddress = "nowhere" }, port: 0));
        Assert.Equal("LISTEN_ADDRESS: 'nowhere' is not accepted: expected localhost, any or an IP address", error.Message);
    }

    [Fact]
    public async Task A_worker_that_fails_ends_the_service_with_1()
    {
        var builder = ServiceHost.CreateBuilder("plain", new PlainOptions());
        builder.Listen(new PlainOptions(), 0, HttpProtocols.Http1);
        builder.Services.AddHostedService(_ => new FailingWorker(new InvalidOperationException("broken")));
        Assert.Equal(1, await builder.Build().MapServiceDefaults().RunToEndAsync());
    }

    [Fact]
    public async Task A_worker_that_knows_why_it_cannot_go_on_ends_the_service_with_its_sentence()
    {
        var builder = ServiceHost.CreateBuilder("plain", new PlainOptions());
        builder.Listen(new PlainOptions(), 0, HttpProtocols.Http1);
        builder.Services.AddHostedService(_ => new FailingWorker(new StartupException("data/x.csv is missing")));
        var error = await Assert.ThrowsAsync<StartupException>(() => builder.Build().MapServiceDefaults().RunToEndAsync());
        Assert.Equal("data/x.csv is missing", error.Message);
    }

    private sealed class FailingWorker(Exception error) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw error;
        }
    }

    private static WebApplication Start(ServiceOptions options, int port)
    {
        var builder = ServiceHost.CreateBuilder("plain", options);
        builder.Listen(options, port, HttpProtocols.Http1);
        return builder.Build().MapServiceDefaults();
    }
}
