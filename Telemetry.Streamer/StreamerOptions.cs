using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Streamer;

/// <summary>Which time a record carries.</summary>
public enum TimestampMode
{
    /// <summary>The time at which it is streamed, so that looping over a file makes live telemetry.</summary>
    Now,

    /// <summary>The time that the file says.</summary>
    Source,
}

/// <summary>The streamer's settings.</summary>
public sealed record StreamerOptions : ServiceOptions
{
    // Input

    /// <summary>A CSV file, a directory (its *.csv in ordinal order), or a glob in the last part of the path.</summary>
    [Setting("CSV_FILE", "What is streamed: a CSV file, a directory (its *.csv in ordinal order) or a glob in the last part of the path.")]
    public string CsvFile { get; init; } = "data/telemetry.csv";

    /// <summary>Whether the input begins again after its end; otherwise the program ends with 0 once all of it is acknowledged.</summary>
    [Setting("LOOP_DATA", "true: the input begins again after its end; false: the program ends with 0 once all of it is acknowledged.")]
    public bool LoopData { get; init; } = true;

    /// <summary>Whether lines are read as they are appended to the file; it never ends then, and <see cref="LoopData"/> has no effect.</summary>
    [Setting("FOLLOW", "Reads lines as they are appended to the file (one file only); LOOP_DATA has no effect then.")]
    public bool Follow { get; init; }

    // Pace

    /// <summary>The time between two batches; zero streams as fast as the queue takes it.</summary>
    [Setting("STREAM_INTERVAL", "The time between two batches; 0 = as fast as the queue takes it.", Min = "0s", Max = "24h")]
    public TimeSpan StreamInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Records in a batch: rows of a wide file; in a long file the rows of one time and GPU are one record.</summary>
    [Setting("BATCH_SIZE", "Records in a batch: rows of a wide file, coalesced rows of a long file; at full speed batches are joined.", Min = "1", Max = "65536")]
    public int BatchSize { get; init; } = 10;

    /// <summary>Which time a record carries.</summary>
    [Setting("TIMESTAMP_MODE", "now: a record carries the time at which it is streamed; source: the time in the file.")]
    public TimestampMode TimestampMode { get; init; } = TimestampMode.Now;

    // Queue

    /// <summary>The queue; empty means a service reference, or the default.</summary>
    [Setting(QueueAddress.Setting, "The queue as host:port or URL; under service discovery the broker's reference is used where this is not set.",
        DefaultText = QueueAddress.Default, AllowEmpty = true)]
    public string QueueAddr { get; init; } = "";

    /// <summary>The topic; made on first use.</summary>
    [Setting("TOPIC", "The topic; made on first use.")]
    public string Topic { get; init; } = "telemetry";

    // Network

    /// <summary>The port of /metrics and /health; 0 is any free port.</summary>
    [Setting("METRICS_PORT", "The port of /metrics and /health; 0 = any free port.", Min = "0", Max = "65535")]
    public int MetricsPort { get; init; } = 9092;

    /// <summary>Whether the input has an end.</summary>
    internal bool IsFinite => !LoopData && !Follow;
}
