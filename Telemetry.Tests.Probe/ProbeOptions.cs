using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.Probe;

/// <summary>How the probe behaves.</summary>
public sealed record ProbeOptions : ServiceOptions
{
    /// <summary>The port of its routes; 0 is any free port.</summary>
    [Setting("PORT", "The port of its routes; 0 = any free port.", Min = "0", Max = "65535")]
    public int Port { get; init; }

    /// <summary>A second port with the same routes; -1 is none.</summary>
    [Setting("METRICS_PORT", "A second port with the same routes; -1 = none.", Min = "-1", Max = "65535")]
    public int MetricsPort { get; init; } = -1;

    /// <summary>The exit code with which it ends at start; -1 lets it run.</summary>
    [Setting("PROBE_EXIT", "The exit code with which it ends at start; -1 = it runs.", Min = "-1", Max = "255")]
    public int Exit { get; init; } = -1;

    /// <summary>It ends at start only while this file is there.</summary>
    [Setting("PROBE_EXIT_WHILE", "It ends at start only while this file is there.", AllowEmpty = true)]
    public string ExitWhile { get; init; } = "";

    /// <summary>Whether it is healthy from the beginning; POST /healthy makes it so.</summary>
    [Setting("PROBE_HEALTHY", "Whether it is healthy from the beginning; POST /healthy makes it so.")]
    public bool Healthy { get; init; } = true;

    /// <summary>It stops only when this file has gone.</summary>
    [Setting("PROBE_STOP_WAITS_FOR", "It stops only when this file has gone.", AllowEmpty = true)]
    public string StopWaitsFor { get; init; } = "";

    /// <summary>Whether it never ends when it is told to stop.</summary>
    [Setting("PROBE_HANGS", "Whether it never ends when it is told to stop.")]
    public bool Hangs { get; init; }
}
