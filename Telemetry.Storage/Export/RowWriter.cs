using System.Globalization;
using Telemetry.Storage.Queries;

namespace Telemetry.Storage.Export;

/// <summary>How exported rows are written.</summary>
public enum ExportFormat
{
    /// <summary>A line for each row under a header, as the streamer reads it.</summary>
    Csv,

    /// <summary>A JSON object in a line for each row.</summary>
    Ndjson,
}

/// <summary>Writes rows to a stream, some in hand at a time; disposing writes those too, and leaves the stream open.</summary>
public abstract class RowWriter : IAsyncDisposable
{
    /// <summary>Makes one.</summary>
    /// <param name="format">How rows are written.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="metrics">The columns of CSV; JSON has what a row has.</param>
    /// <param name="escapesFormulas">
    /// Whether a label in CSV that a spreadsheet would run as a formula has an apostrophe in front. Then it does not read back as
    /// it was, so it is for files that people open, and not for those that programs read.
    /// </param>
    public static RowWriter Create(ExportFormat format, Stream stream, IReadOnlyList<string> metrics, bool escapesFormulas) =>
        format == ExportFormat.Csv ? new CsvRowWriter(stream, metrics, escapesFormulas) : new NdjsonRowWriter(stream);

    /// <summary>Writes a row.</summary>
    public abstract void Write(TelemetryRow row);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Times as all formats write them: RFC 3339 in UTC, with milliseconds.</summary>
    private protected static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
