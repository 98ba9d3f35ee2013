using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Telemetry.Collector;
using Telemetry.ServiceDefaults;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Collector;

/// <summary>Collectors that share a database file in a temporary folder.</summary>
internal sealed class CollectorFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("collector-").FullName;
    private readonly List<(WebApplication App, CollectorService Service)> _apps = [];

    public CollectorFixture() => Reader = new TelemetryReader(DatabasePath);

    public string DatabasePath => Path.Combine(_folder, "telemetry.db");

    public TelemetryReader Reader { get; }

    public CollectorOptions Options => new()
    {
        DatabasePath = DatabasePath,
        MetricsPort = 0,
        PollInterval = TimeSpan.FromMilliseconds(5),
        LogLevel = Telemetry.ServiceDefaults.Settings.LogVerbosity.Error,
    };

    public async Task<WebApplication> StartAsync(FakeQueue queue, Func<CollectorOptions, CollectorOptions>? change = null, TimeProvider? time = null)
    {
        var app = CollectorApp.Build((change ?? (o => o))(Options), () => queue, time ?? TimeProvider.System);
        _apps.Add((app, ServiceOf(app)));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    /// <summary>Ends a collector as a kill does: what is in hand is not written, and nobody is told.</summary>
    public static Task KillAsync(WebApplication app) => ServiceOf(app).StopAsync(new CancellationToken(canceled: true));

    /// <summary>The values of power_w of a host, in the order of their times: with <see cref="Samples.Run"/> they are the seconds.</summary>
    public async Task<List<double>> ValuesAsync(string host = "a")
    {
        var page = await Reader.RowsAsync(new RowQuery { HostId = host, Limit = 100_000 }, TestContext.Current.CancellationToken);
        return [.. page.Rows.Reverse().Select(r => r.Metrics["power_w"])];
    }

    public Task<StoreState> StateAsync() => Reader.StateAsync(TestContext.Current.CancellationToken);

    public static async Task<string> GetAsync(WebApplication app, string path)
    {
        using var client = new HttpClient { BaseAddress = app.BoundAddresses()[0] };
        var response = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (app, service) in _apps)
        {
            // A host that is disposed does not stop its services: they would go on with a store that is closed.
            await service.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
        }
        Reader.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static CollectorService ServiceOf(WebApplication app) => app.Services.GetServices<IHostedService>().OfType<CollectorService>().Single();
}
