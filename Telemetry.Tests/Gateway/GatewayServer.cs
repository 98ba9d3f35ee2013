using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Telemetry.Gateway;
using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Gateway;

/// <summary>A gateway on a free port of 127.0.0.1, and a client that asks it.</summary>
internal sealed class GatewayServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatewayServer(WebApplication app)
    {
        _app = app;
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None })
        {
            BaseAddress = app.BoundAddresses()[0],
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public HttpClient Client { get; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<GatewayServer> StartAsync(GatewayOptions options, TimeProvider? time = null)
    {
        var app = GatewayApp.Build(options with { Port = 0, LogLevel = LogVerbosity.Error }, time);
        await app.StartAsync(Cancelled);
        return new GatewayServer(app);
    }

    /// <summary>The body of a 200.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Client.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
        var body = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"GET {path} answered {(int)response.StatusCode}: {body}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        return JsonElement.Parse(body);
    }

    /// <summary>The body of an error, which is a problem of that status.</summary>
    public async Task<JsonElement> GetProblemAsync(string path, int status)
    {
        using var response = await Client.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
        return await ProblemAsync(response, status);
    }

    /// <summary>Checks that an answer is a problem of a status.</summary>
    public static async Task<JsonElement> ProblemAsync(HttpResponseMessage response, int status)
    {
        var body = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True((int)response.StatusCode == status, $"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.ToString());
        var problem = JsonElement.Parse(body);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.StartsWith("urn:telemetry:problem:", problem.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.NotEqual("", problem.GetProperty("title").GetString());
        Assert.NotEqual("", problem.GetProperty("detail").GetString());
        return problem;
    }

    /// <summary>Stops the gateway, as Ctrl+C does.</summary>
    public Task StopAsync() => _app.StopAsync(Cancelled);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
