namespace Telemetry.Streamer.Sources;

/// <summary>Why a row, or a value of a row, is not used: the label <c>reason</c> of <c>telemetry_pipeline_streamer_errors_total</c>.</summary>
internal static class RowReasons
{
    /// <summary>The row is over <see cref="CsvRowReader.RowBytesMax"/>.</summary>
    public const string TooLarge = "row_too_large";

    /// <summary>A quote stands where none may stand, or is never closed.</summary>
    public const string MalformedQuotes = "malformed_quotes";

    /// <summary>The row has fewer fields than the header.</summary>
    public const string MissingColumns = "missing_columns";

    /// <summary>The row has more fields than the header, and they are not empty.</summary>
    public const string ExtraColumns = "extra_columns";

    /// <summary>The host is empty.</summary>
    public const string NoHost = "no_host";

    /// <summary>The GPU's index is empty.</summary>
    public const string NoGpu = "no_gpu";

    /// <summary>A label is not UTF-8 or has control characters.</summary>
    public const string InvalidText = "invalid_text";

    /// <summary>A label is over the record batch's limit.</summary>
    public const string TextTooLong = "text_too_long";

    /// <summary>The time cannot be read.</summary>
    public const string BadTimestamp = "bad_timestamp";

    /// <summary>In a long file: the metric's name is empty or cannot be made a column name.</summary>
    public const string BadMetricName = "bad_metric_name";

    /// <summary>The row has no value.</summary>
    public const string NoValues = "no_values";

    /// <summary>A value (the rest of its row is kept): it is not a number.</summary>
    public const string BadNumber = "bad_number";

    /// <summary>A value (the rest of its row is kept): it is infinite.</summary>
    public const string NotFinite = "not_finite";

    /// <summary>A value (the rest of its row is kept): it is outside its metric's valid range.</summary>
    public const string OutOfRange = "out_of_range";
}
