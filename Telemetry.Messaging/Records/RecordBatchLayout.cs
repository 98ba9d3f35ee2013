namespace Telemetry.Messaging.Records;

/// <summary>
/// The bytes of a record batch, version 1. Everything is little endian. Golden tests freeze it: a change is a new version.
/// </summary>
/// <remarks><code>
///   0 magic "GTRB" | 4 version u8 | 5 flags u8 | 6 zero u16 | 8 crc32c u32 of the bytes from 12 to the end
///  12 record_count u32 | 16 series_count u32 | 20 metric_count u32
///  24 when flags has 1: trace id 16 | span id 8 | trace flags u8
///     series_count × identity: 8 × text (host, gpu, uuid, model, device, pod, namespace, container)
///     metric_count × text
///     series of each record: record_count × bits(series_count − 1) packed
///     time of each record:   base i64 | unit u8 (0: ms, 1: s) | width u8 | record_count × width packed; base + unit × value
///     metric_count × column: form u8 | when form has 0x80: a bit a record that has the metric, in ⌈record_count / 8⌉ bytes
///         then the values of the records that have it, by the low bits of form:
///         0 plain     f64 each
///         1 constant  one f64
///         2 decimal   base i64 | scale u8 (0–6) | width u8 | width packed each; (base + value) ÷ 10^scale, which is exact:
///                     the encoder picks it only where the division gives the very bits of every value
///
///  text   = length (7 bits a byte, low first, at most 2 bytes, shortest form) | UTF-8
///  packed = values of `width` bits each, low bits first, without gaps, padded with zeros to a whole byte
/// </code>
/// GPU metrics are whole numbers or have few decimals, so they take 7 to 17 bits a value instead of 64.
/// </remarks>
internal static class RecordBatchLayout
{
    public const uint Magic = 0x42525447; // "GTRB"
    public const byte Version = 1;

    public const int VersionAt = 4;
    public const int FlagsAt = 5;
    public const int ZeroAt = 6;
    public const int ChecksumAt = 8;
    public const int CheckedFrom = 12;
    public const int RecordCountAt = 12;
    public const int SeriesCountAt = 16;
    public const int MetricCountAt = 20;
    public const int HeaderBytes = 24;

    public const byte FlagTrace = 1;
    public const int TraceBytes = 16 + 8 + 1;

    public const int TimeHeadBytes = 8 + 1 + 1;
    public const int TimeWidthMax = 49;

    public const byte FormSparse = 0x80;
    public const byte FormPlain = 0;
    public const byte FormConstant = 1;
    public const byte FormDecimal = 2;

    public const int DecimalHeadBytes = 8 + 1 + 1;
    public const int DecimalScaleMax = 6;
    public const int DecimalWidthMax = 51;

    /// <summary>Below this magnitude base and values of a decimal column are exact in a double, with room for rounding.</summary>
    public const long DecimalMax = 1L << 50;

    public const int IdentityLabels = 8;

    public static ReadOnlySpan<double> PowersOfTen => [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
}
