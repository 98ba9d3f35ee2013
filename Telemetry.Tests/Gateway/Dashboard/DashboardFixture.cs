using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Playwright;
using Telemetry.Gateway;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway.Dashboard;

/// <summary>
/// A gateway over three hours of a small fleet up to <see cref="Now"/>, a record every thirty seconds, and a browser. node-a:
/// 0 is busy (87 %, 400 W) but for twenty minutes without records; 1 holds memory and does nothing; 2 is idle; 3 says nothing
/// of how busy it is. node-b: 0 stopped ten minutes ago; 1 is hot and its pod's name is markup.
/// </summary>
public sealed class DashboardFixture : IAsyncLifetime
{
    public const string Hostile = "<img src=x onerror=\"document.title='taken'\">";

    public static readonly DateTimeOffset Now = new(2025, 7, 18, 21, 0, 0, TimeSpan.Zero);

    private const string Chromium = "/usr/bin/chromium";

    private static readonly string[] ChromiumArgs =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private readonly StandingClock _time = new();
    private readonly StoreFile _file;
    private readonly StoreFile _missing;
    private GatewayServer? _server;
    private GatewayServer? _empty;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public DashboardFixture() => (_file, _missing) = (new StoreFile(_time), new StoreFile(_time));

    /// <summary>The gateway over the fleet.</summary>
    internal Uri Address => _server!.Client.BaseAddress!;

    /// <summary>A gateway whose store nobody has made yet, and whose queue is not there.</summary>
    internal Uri EmptyAddress => _empty!.Client.BaseAddress!;

    public async ValueTask InitializeAsync()
    {
        _file.Write([.. Enumerable.Range(0, 360).SelectMany(RowsAt)]);
        while (_file.Open().Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        _server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path }, _time);
        _empty = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _missing.Path, MessageQueueAddress = "localhost:1" }, _time);
        if (!File.Exists(Chromium))
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ChromiumArgs });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        await _server!.DisposeAsync();
        await _empty!.DisposeAsync();
        _file.Dispose();
        _missing.Dispose();
    }

    /// <summary>Opens a page in a browser whose clock stands at <see cref="Now"/>.</summary>
    internal async Task<DashboardTab> OpenAsync(string view, int width = 1440, ColorScheme scheme = ColorScheme.Light, Uri? address = null)
    {
        if (_browser is null)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail($"there is no {Chromium}");
            Assert.Skip($"there is no {Chromium}: apt-get install chromium");
        }
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = scheme,
            TimezoneId = "Asia/Kolkata",
            AcceptDownloads = true,
        });
        var tab = new DashboardTab(context, await context.NewPageAsync(), address ?? Address);
        await tab.Page.Clock.SetFixedTimeAsync(Now.UtcDateTime);
        await tab.GoAsync(view);
        return tab;
    }

    /// <summary>Writes a record of node-a/0 that is newer than all others.</summary>
    internal void WriteBusy(double utilization) => _file.Write(Row("node-a", "0", "train-0", Now.AddMilliseconds(-1), ("gpu_utilization", utilization), ("power_w", 400), ("temperature_c", 60), ("memory_used_mb", 40_000), ("memory_free_mb", 41_559)));

    private static IEnumerable<TelemetryRow> RowsAt(int i)
    {
        var time = Now.AddHours(-3).AddSeconds(30 * (i + 1)).AddMilliseconds(-2);
        // A gap from 20:20 to 20:40.
        if (i is < 280 or >= 320)
            yield return Row("node-a", "0", "train-0", time, ("gpu_utilization", 87), ("power_w", 400), ("temperature_c", 60), ("memory_used_mb", 40_000), ("memory_free_mb", 41_559));
        yield return Row("node-a", "1", "notebook-0", time, ("gpu_utilization", 1), ("power_w", 80), ("temperature_c", 35), ("memory_used_mb", 20_480), ("memory_free_mb", 61_079));
        yield return Row("node-a", "2", "", time, ("gpu_utilization", 0), ("power_w", 60), ("temperature_c", 30), ("memory_used_mb", 4), ("memory_free_mb", 81_555));
        yield return Row("node-a", "3", "train-1", time, ("temperature_c", 41));
        if (i < 340)
            yield return Row("node-b", "0", "train-2", time, ("gpu_utilization", 99), ("power_w", 500), ("temperature_c", 70));
        yield return Row("node-b", "1", Hostile, time, ("gpu_utilization", 95), ("power_w", 600), ("temperature_c", i >= 300 ? 93 : 75), ("xid", i == 200 ? 79 : 0));
    }

    private static TelemetryRow Row(string host, string gpu, string pod, DateTimeOffset time, params (string, double)[] metrics) =>
        FleetFixture.Record(time, new GpuLabels(host, gpu, string.Create(CultureInfo.InvariantCulture, $"GPU-{host}-{gpu}"), "NVIDIA H100 80GB HBM3", $"nvidia{gpu}", pod, pod.Length > 0 ? "research" : "", ""), metrics);

    // Ages stay what they are however long a test takes; timers run.
    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}

/// <summary>A page of the dashboard in a browser; what it complains of, and where it asks.</summary>
internal sealed class DashboardTab : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly Uri _address;
    private readonly ConcurrentQueue<string> _problems = new();

    public DashboardTab(IBrowserContext context, IPage page, Uri address)
    {
        (_context, Page, _address) = (context, page, address);
        // Violations of the content security policy are errors of the console too.
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _problems.Enqueue(message.Text);
        };
        page.PageError += (_, error) => _problems.Enqueue(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                _problems.Enqueue($"request to {request.Url}");
        };
    }

    public IPage Page { get; }

    /// <summary>The address after its #.</summary>
    public string View => Page.Url[(Page.Url.IndexOf('#', StringComparison.Ordinal) + 1)..];

    public ILocator Locator(string selector) => Page.Locator(selector);

    public Task GoAsync(string view) => Page.GotoAsync(new Uri(_address, $"/#/{view}").ToString());

    /// <summary>Nothing failed, nothing was asked of elsewhere, and no text became markup.</summary>
    public async Task AssertWellAsync()
    {
        Assert.DoesNotContain("taken", await Page.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(_problems);
    }

    /// <summary>Keeps a picture under artifacts/screenshots.</summary>
    public async Task KeepAsync(string name)
    {
        var folder = Path.Combine(Tidy.Repository.Root, "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
