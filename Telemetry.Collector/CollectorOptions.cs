using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Collector;

/// <summary>The collector's settings.</summary>
public sealed record CollectorOptions : ServiceOptions
{
    // Queue

    /// <summary>The queue; empty takes the address from the service reference, and without one localhost:9090.</summary>
    [Setting("MESSAGEQUEUE_ADDR", "The queue: host:port or a URL.", AllowEmpty = true, DefaultText = QueueAddress.Default)]
    public string MessageQueueAddress { get; init; } = "";

    /// <summary>The topic to read.</summary>
    [Setting("TOPIC", "The topic to read.")]
    public string Topic { get; init; } = "telemetry";

    /// <summary>The consumer group: collectors with the same one share the partitions.</summary>
    [Setting("CONSUMER_GROUP", "The consumer group; collectors with the same one share the topic's partitions.")]
    public string ConsumerGroup { get; init; } = "collectors";

    // Store

    /// <summary>The database file, on a local disk. Its folder is made if it is missing.</summary>
    [Setting("DATABASE_PATH", "The database file, on a local disk; made if it is missing.")]
    public string DatabasePath { get; init; } = "data/telemetry.db";

    /// <summary>How long records wait for others, at the most. Shorter makes them visible sooner.</summary>
    [Setting("POLL_INTERVAL", "How long records wait for others before they are written.", Min = "1ms", Max = "1m")]
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many records are written without waiting for more. Under load transactions grow beyond it by themselves.</summary>
    [Setting("BATCH_SIZE", "How many records are written without waiting for more; under load transactions grow beyond it.", Min = "1", Max = "65536")]
    public int BatchSize { get; init; } = 50;

    /// <summary>How many batches are decoded at the same time.</summary>
    [Setting("WORKER_COUNT", "How many batches are decoded at the same time.", Min = "1", Max = "64")]
    public int WorkerCount { get; init; } = 2;

    /// <summary>How long records are plain rows before they are folded into the compressed history. Queries read them either way.</summary>
    [Setting("FOLD_INTERVAL", "How often plain rows are folded into the compressed history.", Min = "100ms", Max = "10m")]
    public TimeSpan FoldInterval { get; init; } = TimeSpan.FromSeconds(30);

    // Retention, each from the later of a record's own time and the time it was written

    /// <summary>How long rows stay plain before only their compressed form is kept.</summary>
    [Setting("RAW_RETENTION", "How long rows stay plain, before only their compressed history is kept.", Min = "1m", Max = "3650d")]
    public TimeSpan RawRetention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long every record is kept.</summary>
    [Setting("HISTORY_RETENTION", "How long every record is kept.", Min = "1m", Max = "3650d")]
    public TimeSpan HistoryRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long roll-ups, gaps and dead letters are kept.</summary>
    [Setting("ROLLUP_RETENTION", "How long roll-ups, gaps and dead letters are kept.", Min = "1m", Max = "3650d")]
    public TimeSpan RollupRetention { get; init; } = TimeSpan.FromDays(400);

    // Network

    /// <summary>The port of /metrics and /health; 0 is any free port.</summary>
    [Setting("METRICS_PORT", "The port of /metrics and /health; 0 = any free port.", Min = "0", Max = "65535")]
    public int MetricsPort { get; init; } = 9093;

    /// <summary>Checks what concerns several settings.</summary>
    /// <exception cref="SettingException">A retention is shorter than the one before it.</exception>
    public void Validate()
    {
        NotShorter("HISTORY_RETENTION", HistoryRetention, "RAW_RETENTION", RawRetention);
        NotShorter("ROLLUP_RETENTION", RollupRetention, "HISTORY_RETENTION", HistoryRetention);
    }

    private static void NotShorter(string longer, TimeSpan value, string shorter, TimeSpan least)
    {
        if (value < least)
            throw new SettingException($"{longer}: '{Durations.Format(value)}' is not accepted: expected at least {shorter} ({Durations.Format(least)})");
    }
}
