namespace Telemetry.Messaging.Records;

/// <summary>The bounds of a record batch. Encoder and decoder both refuse what is beyond them.</summary>
public static class RecordBatchLimits
{
    /// <summary>The most records in a batch.</summary>
    public const int RecordsMax = 65_536;

    /// <summary>The most bytes in an encoded batch.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    /// <summary>The most distinct metrics in a batch.</summary>
    public const int MetricsMax = 512;

    /// <summary>The most bytes of UTF-8 in a label or a metric name.</summary>
    public const int TextBytesMax = 1024;
}
