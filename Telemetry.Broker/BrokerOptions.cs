using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Broker;

/// <summary>The broker's settings.</summary>
public sealed record BrokerOptions : ServiceOptions
{
    // Network

    /// <summary>The port of the gRPC service; 0 is any free port.</summary>
    [Setting("PORT", "The port of the gRPC service; 0 = any free port.", Min = "0", Max = "65535")]
    public int Port { get; init; } = 9090;

    /// <summary>The port of /metrics and /health; 0 is any free port.</summary>
    [Setting("METRICS_PORT", "The port of /metrics and /health; 0 = any free port.", Min = "0", Max = "65535")]
    public int MetricsPort { get; init; } = 9091;

    // Topics

    /// <summary>How many partitions a topic gets that is made on first use.</summary>
    [Setting("MAX_PARTITIONS", "How many partitions a topic gets that is made on first use.", Min = "1", Max = "1024")]
    public int MaxPartitions { get; init; } = 4;

    /// <summary>How many records a partition holds before publishers have to wait.</summary>
    [Setting("MAX_MESSAGES_PER_PARTITION", "How many records a partition holds before publishers have to wait.", Min = "1", Max = "1000000000")]
    public int MaxMessagesPerPartition { get; init; } = 10_000;

    /// <summary>How many MiB a partition holds before publishers have to wait.</summary>
    [Setting("MAX_MEGABYTES_PER_PARTITION", "How many MiB a partition holds before publishers have to wait.", Min = "16", Max = "16777216")]
    public int MaxMegabytesPerPartition { get; init; } = 10_240;

    /// <summary>How long a record is kept that a group has not read, by the time of its append.</summary>
    [Setting("MESSAGE_TTL", "How long a record is kept that a group has not read, by the time of its append.", Min = "1s", Max = "3650d")]
    public TimeSpan MessageTtl { get; init; } = TimeSpan.FromHours(24);

    // Durability

    /// <summary>The folder of the log; empty keeps everything in memory.</summary>
    [Setting("DATA_PATH", "The folder of the log; none keeps everything in memory.", AllowEmpty = true)]
    public string DataPath { get; init; } = "";

    /// <summary>When an append is acknowledged: zero after it is synced, otherwise before, with a sync at least this often.</summary>
    [Setting("FSYNC", "When an append is acknowledged: always = after it is synced to disk; a duration = before, with a sync that often.",
        DurationWords = "always=0s", DefaultText = "always", Min = "1ms", Max = "1h")]
    public TimeSpan Fsync { get; init; } = TimeSpan.Zero;
}
