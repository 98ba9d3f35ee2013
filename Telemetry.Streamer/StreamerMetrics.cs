using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Telemetry.Streamer;

/// <summary>What the streamer counts. The names are those of the exposition: nothing is appended to them.</summary>
internal sealed class StreamerMetrics : IDisposable
{
    /// <summary>The meter and the activity source.</summary>
    public const string Name = "Telemetry.Streamer";

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _sent;
    private readonly Counter<long> _errors;
    private readonly Gauge<long> _batchSize;
    private readonly Gauge<double> _lastTimestamp;

    public StreamerMetrics()
    {
        _sent = _meter.CreateCounter<long>("telemetry_pipeline_streamer_messages_sent_total", description: "Records that the queue has acknowledged.");
        _errors = _meter.CreateCounter<long>("telemetry_pipeline_streamer_errors_total", description: "Rows and values that were not used, and publishes that failed, by reason.");
        _batchSize = _meter.CreateGauge<long>("telemetry_pipeline_streamer_batch_size", description: "Records in the batch that was sent last.");
        _lastTimestamp = _meter.CreateGauge<double>("telemetry_pipeline_streamer_last_processed_timestamp", description: "The time of the last acknowledged record, in seconds since 1970.");
    }

    /// <summary>A span a batch, from the record batch's making to its acknowledgement.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    /// <summary>A row, a value or a publish failed.</summary>
    public void Error(string reason) => _errors.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>A batch is sent.</summary>
    public void Sent(int records) => _batchSize.Record(records);

    /// <summary>A batch is acknowledged.</summary>
    public void Acknowledged(int records, long lastTimeUnixMs)
    {
        _sent.Add(records);
        _lastTimestamp.Record(lastTimeUnixMs / 1000.0);
    }

    public void Dispose() => _meter.Dispose();
}
