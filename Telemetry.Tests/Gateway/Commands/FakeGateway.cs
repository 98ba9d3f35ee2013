using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Telemetry.ServiceDefaults;

namespace Telemetry.Tests.Gateway.Commands;

/// <summary>What answers as a gateway does, or as one that is in trouble.</summary>
internal sealed class FakeGateway : IAsyncDisposable
{
    /// <summary>An answer of <c>/api/v1/telemetry/latest</c>.</summary>
    public const string Latest = """
        {"data":[{"host_id":"node-a","gpu_id":"0","uuid":null,"model":null,"device":null,"pod":null,"namespace":null,"container":null,
          "timestamp":"2026-01-02T03:04:05Z","age_seconds":1,"state":"active","metrics":{"gpu_utilization":50}}],"total":1}
        """;

    private readonly WebApplication _app;

    private FakeGateway(WebApplication app) => _app = app;

    /// <summary>Its address.</summary>
    public Uri Url => _app.BoundAddresses()[0];

    /// <summary>Requests so far.</summary>
    public int Requests { get; private set; }

    /// <summary>Starts one.</summary>
    /// <param name="answer">Answers the n-th request, from 1 on.</param>
    public static async Task<FakeGateway> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        var gateway = new FakeGateway(builder.Build());
        gateway._app.Run(http => answer(http, ++gateway.Requests));
        await gateway._app.StartAsync(TestContext.Current.CancellationToken);
        return gateway;
    }

    /// <summary>Answers with a text, compressed.</summary>
    public static async Task CompressedAsync(HttpContext http, string text)
    {
        http.Response.Headers.ContentEncoding = "br";
        await using var body = new BrotliStream(http.Response.Body, CompressionLevel.Fastest);
        await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), http.RequestAborted);
    }

    /// <summary>Begins an answer and says no more until the asker goes away.</summary>
    public static async Task StalledAsync(HttpContext http)
    {
        await http.Response.WriteAsync("{\"data\":[", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
        await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
