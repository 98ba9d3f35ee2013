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

    /// <summary>
    /// The most records times metrics. It bounds what a decoder allocates (16 MiB of values) whatever the bytes claim: a
    /// constant or absent column costs next to nothing encoded. A builder whose <see cref="RecordBatchBuilder.EncodedBytesMax"/>
    /// is within <see cref="BytesMax"/> uses at most a quarter of it.
    /// </summary>
    public const int CellsMax = 2 * 1024 * 1024;

    /// <summary>The most bytes of UTF-8 in a label or a metric name.</summary>
    public const int TextBytesMax = 1024;

    /// <summary>The earliest time of a record: 0001-01-01 UTC in milliseconds since 1970.</summary>
    public const long TimeUnixMsMin = -62_135_596_800_000;

    /// <summary>The latest time of a record: the last millisecond of the year 9999 UTC.</summary>
    public const long TimeUnixMsMax = 253_402_300_799_999;
}
