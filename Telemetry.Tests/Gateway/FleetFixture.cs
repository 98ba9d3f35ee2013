using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

/// <summary>
/// A gateway over a small fleet with known values, ten minutes up to <see cref="Now"/>, a record every ten seconds:
/// node-a/0 is busy (utilization 0 … 59, then the last), node-a/1 holds memory and does nothing, node-b/0 reports
/// temperature only and stopped two minutes ago.
/// </summary>
public sealed class FleetFixture : IAsyncLifetime
{
    public const int RowsPerGpu = 60;
    public const int RowsLost = 48;
    public const int Rows = (2 * RowsPerGpu) + RowsLost;

    public static readonly DateTimeOffset Now = new(2025, 7, 18, 21, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset First = Now.AddMinutes(-10);

    public static readonly GpuLabels Busy = new("node-a", "0", "GPU-a0", "NVIDIA H100", "nvidia0", "train-0", "research", "trainer");
    public static readonly GpuLabels Held = new("node-a", "1", "GPU-a1", "NVIDIA H100", "nvidia1", "", "", "");
    public static readonly GpuLabels Lost = new("node-b", "0", "", "", "", "", "", "");

    private readonly StoreFile _file = new(new FakeTimeProvider(Now));
    private GatewayServer? _server;

    internal GatewayServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        _file.Write([.. Enumerable.Range(0, RowsPerGpu).SelectMany(RowsAt)]);
        _server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path }, new FakeTimeProvider(Now));
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    internal static TelemetryRow Record(DateTimeOffset time, GpuLabels gpu, params (string Metric, double Value)[] metrics) =>
        new(time, gpu, metrics.ToDictionary(m => m.Metric, m => m.Value, StringComparer.Ordinal));

    internal static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static IEnumerable<TelemetryRow> RowsAt(int i)
    {
        var time = First.AddSeconds(10 * i);
        yield return Record(time, Busy, ("gpu_utilization", i), ("memory_used_mb", 40_000), ("power_w", 300.5));
        yield return Record(time, Held, ("gpu_utilization", 2), ("memory_used_mb", 4096), ("memory_free_mb", 77_824));
        if (i < RowsLost)
            yield return Record(time, Lost, ("temperature_c", 30 + (i % 2)));
    }
}
