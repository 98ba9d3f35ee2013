using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Telemetry.Hosting.Run;
using Telemetry.Tests.Probe;

namespace Telemetry.Tests.Hosting;

/// <summary>An application of probes in this process, with short waits and its lines kept.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<ResourceEvent> _events = [];
    private DistributedApplication? _app;
    private Task _recording = Task.CompletedTask;

    public TestHost(params string[] args)
    {
        // Generous: the machine may be busy with other tests.
        _limit.CancelAfter(TimeSpan.FromMinutes(3));
        // Few tests look at the dashboard; a later argument wins.
        Builder = DistributedApplication.CreateBuilder(["--Dashboard:Enabled=false", .. args]);
        Builder.Services.AddSingleton(new HostConsole(Lines, Lines, colour: false));
        Builder.Services.AddSingleton(Timings);
    }

    public static HostTimings Timings { get; } = new()
    {
        RestartDelayMin = TimeSpan.FromMilliseconds(10),
        RestartDelayMax = TimeSpan.FromMilliseconds(40),
        StartAttemptsMax = 3,
        UnhealthyPollInterval = TimeSpan.FromMilliseconds(20),
        HealthyPollInterval = TimeSpan.FromMilliseconds(50),
    };

    public IDistributedApplicationBuilder Builder { get; }

    public LineRecorder Lines { get; } = new();

    public HttpClient Client { get; } = new();

    public CancellationToken Limit => _limit.Token;

    public DistributedApplication App => _app ?? throw new InvalidOperationException("the application was not started");

    /// <summary>A probe with one endpoint and a health check.</summary>
    public IResourceBuilder<ProjectResource> AddProbe(string name) =>
        Builder.AddProject<ProbeProject>(name, launchProfileName: null)
            .WithHttpEndpoint(name: "http", env: "PORT")
            .WithHttpHealthCheck("/health");

    /// <summary>Starts the application, and keeps its events.</summary>
    public async Task StartAsync()
    {
        _app = Builder.Build();
        var watching = _app.ResourceNotifications.WatchAsync(Limit).GetAsyncEnumerator(Limit);
        var next = watching.MoveNextAsync(); // subscribes before the first event
        _recording = RecordAsync(watching, next);
        await _app.StartAsync(Limit);
    }

    public Task HealthyAsync(string name) => App.ResourceNotifications.WaitForResourceHealthyAsync(name, Limit);

    public Task<ResourceEvent> StateAsync(string name, string state) =>
        App.ResourceNotifications.WaitForResourceAsync(name, change => change.Snapshot.State?.Text == state, Limit);

    /// <summary>The states of the replicas, in the order in which they happened: <c>back-0 Running</c>.</summary>
    public LineRecorder States { get; } = new();

    /// <summary>The events so far.</summary>
    public IReadOnlyList<ResourceEvent> Events()
    {
        lock (_events)
            return [.. _events];
    }

    public static string Url(IResourceBuilder<ProjectResource> resource) => resource.GetEndpoint("http").Url;

    /// <summary>The address of one replica, past the proxy.</summary>
    public async Task<string> ReplicaUrlAsync(string id)
    {
        var line = await Lines.LineAsync(line => line.StartsWith($"[{id}] probe is up on port ", StringComparison.Ordinal), Limit);
        return $"http://localhost:{line.Split(' ')[^1]}";
    }

    public Task<string> GetAsync(IResourceBuilder<ProjectResource> resource, string path) => Client.GetStringAsync(Url(resource) + path, Limit);

    /// <summary>Posts to a probe; one that is told to exit may not answer any more.</summary>
    public async Task PostAsync(string url, string path)
    {
        try
        {
            // A request without a body would be sent again, to the next replica, when its connection is closed.
            using var body = new StringContent("now");
            (await Client.PostAsync(url + path, body, Limit)).Dispose();
        }
        catch (HttpRequestException) when (path.StartsWith("/exit", StringComparison.Ordinal))
        {
            // That is what was asked for.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }
        await _limit.CancelAsync();
        await _recording;
        _limit.Dispose();
    }

    private async Task RecordAsync(IAsyncEnumerator<ResourceEvent> watching, ValueTask<bool> next)
    {
        try
        {
            for (; await next; next = watching.MoveNextAsync())
            {
                lock (_events)
                    _events.Add(watching.Current);
                States.WriteLine($"{watching.Current.ResourceId} {watching.Current.State}");
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
        finally
        {
            await watching.DisposeAsync();
        }
    }
}
