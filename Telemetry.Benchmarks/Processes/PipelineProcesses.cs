using System.Globalization;

namespace Telemetry.Benchmarks.Processes;

/// <summary>How a pipeline of real processes is set up.</summary>
public sealed record PipelineSetup
{
    /// <summary>The folder for the database; made if missing.</summary>
    public required string Folder { get; init; }

    /// <summary>What the streamers read: a file, a directory or a glob.</summary>
    public required string CsvFile { get; init; }

    /// <summary>Further flags for the broker.</summary>
    public IReadOnlyList<string> BrokerFlags { get; init; } = [];

    /// <summary>Further flags for each streamer; they win over the defaults here.</summary>
    public IReadOnlyList<string> StreamerFlags { get; init; } = [];

    /// <summary>Further flags for each collector.</summary>
    public IReadOnlyList<string> CollectorFlags { get; init; } = [];
}

/// <summary>
/// Broker, streamers, collectors and gateway as real processes on free ports of loopback, for benchmarks and distributed
/// tests: a finite run at full speed with the source's time. Disposing kills what still runs.
/// </summary>
public sealed class PipelineProcesses : IAsyncDisposable
{
    private readonly PipelineSetup _setup;
    private readonly List<ServiceProcess> _processes = [];
    private readonly int _queuePort;

    /// <summary>Reserves ports; nothing is started yet.</summary>
    public PipelineProcesses(PipelineSetup setup)
    {
        _setup = setup;
        Directory.CreateDirectory(setup.Folder);
        var ports = FreePorts.Take(2);
        _queuePort = ports[0];
        GatewayAddress = new Uri($"http://localhost:{ports[1]}");
    }

    /// <summary>The database.</summary>
    public string DatabasePath => Path.Combine(_setup.Folder, "telemetry.db");

    /// <summary>Where the queue listens, as <c>host:port</c>.</summary>
    public string QueueAddress => string.Create(CultureInfo.InvariantCulture, $"localhost:{_queuePort}");

    /// <summary>Where the gateway listens once it is started.</summary>
    public Uri GatewayAddress { get; }

    /// <summary>Everything that was started, in order.</summary>
    public IReadOnlyList<ServiceProcess> Processes => _processes;

    /// <summary>Starts the broker.</summary>
    public ServiceProcess StartBroker() =>
        Add(ServiceProcess.Start("Broker", ["--port", _queuePort.ToString(CultureInfo.InvariantCulture), "--metrics-port", "0", .. _setup.BrokerFlags]));

    /// <summary>Starts a collector.</summary>
    public ServiceProcess StartCollector() =>
        Add(ServiceProcess.Start("Collector", [
            "--messagequeue-addr", QueueAddress, "--database-path", DatabasePath, "--metrics-port", "0", "--poll-interval", "100ms", .. _setup.CollectorFlags]));

    /// <summary>Starts a streamer.</summary>
    public ServiceProcess StartStreamer() =>
        Add(ServiceProcess.Start("Streamer", [
            "--messagequeue-addr", QueueAddress, "--csv-file", _setup.CsvFile, "--metrics-port", "0",
            "--stream-interval", "0", "--loop-data", "false", "--timestamp-mode", "source", .. _setup.StreamerFlags]));

    /// <summary>Starts the gateway.</summary>
    public ServiceProcess StartGateway() =>
        Add(ServiceProcess.Start("Gateway", [
            "--port", GatewayAddress.Port.ToString(CultureInfo.InvariantCulture), "--database-path", DatabasePath, "--messagequeue-addr", QueueAddress]));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
    }

    private ServiceProcess Add(ServiceProcess process)
    {
        _processes.Add(process);
        return process;
    }
}
