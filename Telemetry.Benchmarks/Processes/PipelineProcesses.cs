using System.Globalization;

namespace Telemetry.Benchmarks.Processes;

/// <summary>How a pipeline of real processes is set up.</summary>
public sealed record PipelineSetup
{
    /// <summary>The folder for the database; made if missing.</summary>
    public required string Folder { get; init; }

    /// <summary>What the streamers read: a file, a directory or a glob.</summary>
    public required string CsvFile { get; init; }

    /// <summary>Further flags for the broker, each followed by its value.</summary>
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
        Start("Broker", _setup.BrokerFlags, "--port", _queuePort.ToString(CultureInfo.InvariantCulture), "--metrics-port", "0");

    /// <summary>Starts a collector.</summary>
    /// <param name="flags">Flags of this one; they win over the setup's.</param>
    public ServiceProcess StartCollector(params IEnumerable<string> flags) =>
        Start("Collector", [.. _setup.CollectorFlags, .. flags],
            "--messagequeue-addr", QueueAddress, "--database-path", DatabasePath, "--metrics-port", "0", "--poll-interval", "100ms");

    /// <summary>Starts a streamer.</summary>
    /// <param name="flags">Flags of this one; they win over the setup's.</param>
    public ServiceProcess StartStreamer(params IEnumerable<string> flags) =>
        Start("Streamer", [.. _setup.StreamerFlags, .. flags],
            "--messagequeue-addr", QueueAddress, "--csv-file", _setup.CsvFile, "--metrics-port", "0",
            "--stream-interval", "0", "--loop-data", "false", "--timestamp-mode", "source");

    /// <summary>Starts the gateway.</summary>
    public ServiceProcess StartGateway() =>
        Start("Gateway", [],
            "--port", GatewayAddress.Port.ToString(CultureInfo.InvariantCulture), "--database-path", DatabasePath, "--messagequeue-addr", QueueAddress);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
    }

    /// <summary>Starts a service; a flag of the setup replaces the default of the same name, since a service refuses one that is given twice.</summary>
    private ServiceProcess Start(string room, IReadOnlyList<string> flags, params ReadOnlySpan<string> defaults)
    {
        var settings = new Dictionary<string, string>();
        for (var i = 0; i < defaults.Length; i += 2)
            settings[defaults[i]] = defaults[i + 1];
        for (var i = 0; i < flags.Count; i += 2)
            settings[flags[i]] = flags[i + 1];
        var process = ServiceProcess.Start(room, settings.SelectMany(setting => new[] { setting.Key, setting.Value }));
        _processes.Add(process);
        return process;
    }
}
