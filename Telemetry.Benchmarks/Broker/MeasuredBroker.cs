using System.Diagnostics;
using System.Globalization;
using Telemetry.Benchmarks.Processes;
using Telemetry.Messaging.Client;

namespace Telemetry.Benchmarks.Broker;

/// <summary>When the broker acknowledges.</summary>
internal enum Durability
{
    /// <summary>In memory only.</summary>
    Memory,

    /// <summary>After it is synced.</summary>
    Durable,

    /// <summary>After it is written; synced every 100 ms.</summary>
    Relaxed,
}

/// <summary>What a broker has used so far.</summary>
/// <param name="AllocatedBytes">Bytes its runtime allocated.</param>
/// <param name="Syncs">Files that it synced.</param>
/// <param name="Cpu">Its CPU time.</param>
internal readonly record struct Usage(double AllocatedBytes, double Syncs, TimeSpan Cpu)
{
    /// <summary>What was used between two looks.</summary>
    public static Usage operator -(Usage later, Usage earlier) =>
        new(later.AllocatedBytes - earlier.AllocatedBytes, later.Syncs - earlier.Syncs, later.Cpu - earlier.Cpu);
}

/// <summary>The broker as a process of its own, which a benchmark loads and asks what that cost.</summary>
internal sealed class MeasuredBroker : IAsyncDisposable
{
    /// <summary>Partitions of a topic.</summary>
    public const int Partitions = 4;

    private readonly ServiceProcess _process;
    private readonly string _address;
    private readonly HttpClient _metrics;

    private MeasuredBroker(ServiceProcess process, string address, Uri metrics)
    {
        _process = process;
        _address = address;
        _metrics = new HttpClient { BaseAddress = metrics };
    }

    /// <summary>From the start of the process to its first answer.</summary>
    public TimeSpan ServingAfter { get; private set; }

    /// <summary>Resident memory now, bytes.</summary>
    public long ResidentBytes => _process.ResidentBytes;

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="durability">Where it keeps its log, and when it acknowledges.</param>
    /// <param name="folder">The log's folder; not used in memory.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<MeasuredBroker> StartAsync(Durability durability, string folder, CancellationToken cancellationToken)
    {
        var ports = FreePorts.Take(2);
        var began = Stopwatch.GetTimestamp();
        var process = ServiceProcess.Start("Broker", [
            "--port", Text(ports[0]), "--metrics-port", Text(ports[1]), "--max-partitions", Text(Partitions), "--max-messages-per-partition", "1000000000",
            .. durability == Durability.Memory ? (string[])[] : ["--data-path", folder],
            .. durability == Durability.Relaxed ? (string[])["--fsync", "100ms"] : [],
        ]);
        var broker = new MeasuredBroker(process, $"localhost:{Text(ports[0])}", new Uri($"http://localhost:{Text(ports[1])}"));
        try
        {
            await process.WaitForLineAsync("broker started", cancellationToken);
            await using var connection = broker.Connect();
            await connection.WaitUntilReachableAsync(onRetry: null, cancellationToken);
            broker.ServingAfter = Stopwatch.GetElapsedTime(began);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>A new connection to it.</summary>
    public QueueConnection Connect() => new(_address);

    /// <summary>The line in which it says what it found in its log; null when there was none.</summary>
    public string? RecoveryLine => _process.Lines.FirstOrDefault(line => line.Contains("opened ", StringComparison.Ordinal))?.Trim();

    /// <summary>What it has used so far.</summary>
    public async Task<Usage> UsageAsync(CancellationToken cancellationToken)
    {
        var text = await _metrics.GetStringAsync("/metrics", cancellationToken);
        return new Usage(
            Sum(text, "dotnet_gc_heap_total_allocated_bytes_total"),
            Sum(text, "telemetry_pipeline_messagequeue_sync_duration_seconds_count"),
            _process.CpuTime ?? throw Ended());
    }

    /// <summary>Ends it at once (kill -9).</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Send(Signal.Kill);
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _process.DisposeAsync();
    }

    /// <summary>That the broker ended, with what it wrote last.</summary>
    private InvalidOperationException Ended() => new($"the broker ended:\n{_process.Tail()}");

    private static double Sum(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{')
        .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
