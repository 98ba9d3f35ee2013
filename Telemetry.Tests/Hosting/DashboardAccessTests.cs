using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Aspire.Hosting;

namespace Telemetry.Tests.Hosting;

public sealed class DashboardAccessTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/page.js")]
    [InlineData("/api/resources")]
    [InlineData("/api/stream")]
    [InlineData("/login")]
    [InlineData("/login?t=")]
    [InlineData("/login?t=00000000000000000000000000000000")]
    [InlineData("/nothing")]
    public async Task Without_the_token_there_is_nothing_but_the_advice_where_it_is(string path)
    {
        await using var host = await StartAsync();
        using var response = await host.Client.GetAsync(new Uri(await DashboardClient.LoginAddressAsync(host), path), host.Limit);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Contains("the terminal of the AppHost", await response.Content.ReadAsStringAsync(host.Limit), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_cookie_is_no_better_than_none()
    {
        await using var host = await StartAsync();
        var login = await DashboardClient.LoginAddressAsync(host);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(login, "/api/resources"));
        // The token of the address is not the cookie's value.
        request.Headers.Add("Cookie", string.Create(CultureInfo.InvariantCulture, $"telemetry-dashboard-{login.Port}={login.Query["?t=".Length..]}"));
        using var response = await host.Client.SendAsync(request, host.Limit);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task The_token_sets_a_strict_cookie_and_leads_to_the_page()
    {
        await using var host = await StartAsync();
        var login = await DashboardClient.LoginAddressAsync(host);
        Assert.Matches("^\\?t=[0-9a-f]{32}$", login.Query);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        using var response = await http.GetAsync(login, host.Limit);

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal("/", response.Headers.Location!.OriginalString);
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(login.Query["?t=".Length..], cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_answer_tells_the_browser_to_be_strict()
    {
        await using var host = await StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        foreach (var path in (string[])["/", "/page.js", "/page.css", "/favicon.svg", "/api/resources", "/nothing"])
        {
            using var response = await dashboard.Http.GetAsync(new Uri(path, UriKind.Relative), host.Limit);
            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
            Assert.True(response.Headers.CacheControl!.NoStore);
            Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("dashboard.example")]
    [InlineData("localhost.example:80")]
    [InlineData("192.0.2.1")]
    public async Task Another_name_of_this_machine_is_refused(string name)
    {
        await using var host = await StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        foreach (var path in (string[])["/", "/api/resources", dashboard.Login.PathAndQuery])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = name } };
            using var response = await dashboard.Http.SendAsync(request, host.Limit);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("X-Dashboard", "Origin: http://localhost:1")]
    [InlineData("X-Dashboard", "Origin: null")]
    [InlineData("X-Dashboard", "Origin: https://attacker.example")]
    [InlineData("X-Dashboard", "Sec-Fetch-Site: same-site")]
    [InlineData("X-Dashboard", "Sec-Fetch-Site: cross-site")]
    public async Task A_command_that_is_not_the_pages_own_is_refused(string header, string other)
    {
        await using var host = await StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        await host.HealthyAsync("probe");
        var before = (await dashboard.ReplicaAsync("probe-0")).GetProperty("processId").GetInt32();
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/api/resources/probe/stop"))
        {
            if (header.Length > 0)
                request.Headers.Add(header, "1");
            if (other.Split(": ") is [var name, var value])
                request.Headers.Add(name, value);
            using var response = await dashboard.Http.SendAsync(request, host.Limit);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }
        var replica = await dashboard.ReplicaAsync("probe-0");
        Assert.Equal("Running", replica.GetProperty("state").GetString());
        Assert.Equal(before, replica.GetProperty("processId").GetInt32());
    }

    [Fact]
    public async Task Another_local_page_cannot_read_through_the_browser()
    {
        await using var host = await StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/resources") { Headers = { { "Sec-Fetch-Site", "same-site" } } };
        using var response = await dashboard.Http.SendAsync(request, host.Limit);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task It_listens_on_loopback_only()
    {
        await using var host = await StartAsync();
        var login = await DashboardClient.LoginAddressAsync(host);
        var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => listener.Port == login.Port).ToList();
        Assert.NotEmpty(listeners);
        Assert.All(listeners, listener => Assert.True(IPAddress.IsLoopback(listener.Address)));
    }

    [Fact]
    public async Task The_address_with_the_token_is_not_in_the_logs_of_the_page()
    {
        await using var host = await StartAsync();
        using var dashboard = await DashboardClient.SignInAsync(host);
        await host.HealthyAsync("probe");
        using var events = await dashboard.EventsAsync();
        var (name, data) = await events.NextAsync();
        while (name != "logs")
            (name, data) = await events.NextAsync();
        Assert.DoesNotContain(dashboard.Login.Query["?t=".Length..], data.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Dashboard:Port=many", "Dashboard:Port: 'many' is not accepted: expected a whole number from 0 (any free port) to 65535")]
    [InlineData("--Dashboard:Enabled=maybe", "Dashboard:Enabled: 'maybe' is not accepted: expected true or false")]
    public async Task A_setting_that_cannot_be_used_is_named_before_anything_is_started(string arg, string message)
    {
        await using var host = new TestHost("--Dashboard:Enabled=true", arg);
        host.AddProbe("probe");
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.Equal(message, error.Message);
        Assert.Empty(host.Lines.Lines);
    }

    [Fact]
    public async Task A_port_in_use_is_named_before_anything_is_started()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = new TestHost("--Dashboard:Enabled=true", string.Create(CultureInfo.InvariantCulture, $"--Dashboard:Port={port}"));
        host.AddProbe("probe");
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(host.StartAsync);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"port {port} is in use by another program (wanted for the dashboard)"), error.Message, StringComparison.Ordinal);
        Assert.Empty(host.Lines.Lines);
    }

    private static async Task<TestHost> StartAsync()
    {
        var host = new TestHost(DashboardClient.Args);
        host.AddProbe("probe");
        await host.StartAsync();
        return host;
    }
}
