using Microsoft.Extensions.Time.Testing;
using Telemetry.Gateway;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Gateway;

/// <summary>
/// A gateway over two hours of a fleet up to <see cref="Now"/>, a record every thirty seconds, the first hour folded. Each GPU
/// is there for one finding: see <see cref="RowsAt"/>.
/// </summary>
public sealed class InsightsFixture : IAsyncLifetime
{
    public static readonly DateTimeOffset Now = new(2025, 7, 18, 21, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset First = Now.AddHours(-2);

    private readonly FakeTimeProvider _time = new(Now);
    private readonly StoreFile _file;
    private GatewayServer? _server;

    public InsightsFixture() => _file = new StoreFile(_time);

    internal GatewayServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        _file.Write([.. Enumerable.Range(0, 120).SelectMany(RowsAt)]);
        var store = _file.Open();
        while (store.Fold(TimeSpan.Zero).Rows > 0)
        {
        }
        _file.Write([.. Enumerable.Range(120, 120).SelectMany(RowsAt)]);
        _server = await GatewayServer.StartAsync(new GatewayOptions { DatabasePath = _file.Path }, _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _file.Dispose();
    }

    private static IEnumerable<TelemetryRow> RowsAt(int i)
    {
        var time = First.AddSeconds(30 * (i + 1));
        // Works, until 20:48:00 in one pod and then in another.
        yield return Row("busy", i < 216 ? "job-1" : "job-2", ("gpu_utilization", 90), ("power_w", 400), ("temperature_c", 60), ("memory_used_mb", 40_000));
        // Has done nothing since 19:40:30, which is in the folded hour, and holds memory.
        yield return Row("held", "notebook-0", ("gpu_utilization", i < 80 ? 50 : 1), ("power_w", 80), ("memory_used_mb", 20_000));
        // Has never done anything.
        yield return Row("idle", "", ("gpu_utilization", 0), ("power_w", 60), ("memory_used_mb", 4));
        // Paused for a moment.
        yield return Row("pausing", "job-3", ("gpu_utilization", i >= 238 ? 0 : 80), ("memory_used_mb", 4));
        // Hot, with a lowered clock, since 20:50:30; before, hot for a moment.
        yield return Row("hot", "job-4", ("gpu_utilization", 99), ("temperature_c", i >= 220 || i == 100 ? 91 : 70), ("clock_event_reasons", i >= 220 ? 0x20 + (i % 2 * 4) : 1));
        // XID 79 twice, the second time in three records; uncorrectable errors since 20:25:30.
        yield return Row("failing", "job-5", ("gpu_utilization", 99), ("xid", i is 30 or (>= 200 and < 203) ? 79 : i is 60 ? 13 : 0), ("ecc_dbe", i >= 170 ? 2 : 0));
        // Nothing since 20:35:00.
        if (i < 190)
            yield return Row("lost", "job-6", ("gpu_utilization", 99));
        // A host of which nothing has come since 20:40:00, and one that has lost a GPU then.
        if (i < 200)
        {
            yield return RowOf("dark", "0", "", ("temperature_c", 50));
            yield return RowOf("dark", "1", "", ("temperature_c", 50));
            yield return RowOf("fallen", "0", "", ("temperature_c", 50));
        }
        yield return RowOf("fallen", "1", "", ("temperature_c", 50));
        // In the second hour every tenth record arrives, and of the last minute all; those of its sibling all arrive.
        if (i % 10 == 0 || i >= 237 || i < 120)
            yield return Row("incomplete", "", ("temperature_c", 50));
        yield return RowOf("incomplete", "1", "", ("temperature_c", 50));

        TelemetryRow Row(string host, string pod, params (string, double)[] metrics) => RowOf(host, "0", pod, metrics);

        TelemetryRow RowOf(string host, string gpu, string pod, params (string, double)[] metrics) =>
            FleetFixture.Record(time, new GpuLabels(host, gpu, $"GPU-{host}", "NVIDIA H100", "nvidia0", pod, pod.Length > 0 ? "research" : "", ""), metrics);
    }
}
