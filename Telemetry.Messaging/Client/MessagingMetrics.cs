using System.Diagnostics.Metrics;

namespace Telemetry.Messaging.Client;

/// <summary>The clients' instruments.</summary>
internal static class MessagingMetrics
{
    public static readonly Meter Meter = new("Telemetry.Messaging");

    public static readonly Counter<long> ProducerRetries = Meter.CreateCounter<long>(
        "telemetry_pipeline_producer_retries_total", description: "Batches sent again after a refusal or a lost connection.");

    public static readonly Counter<long> ProducerFullWaits = Meter.CreateCounter<long>(
        "telemetry_pipeline_producer_full_waits_total", description: "Times that a producer was told to wait because a partition was full.");
}
