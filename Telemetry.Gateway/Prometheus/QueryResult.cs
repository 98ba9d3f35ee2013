using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.Gateway.Prometheus.Evaluation;

namespace Telemetry.Gateway.Prometheus;

/// <summary>A series of an answer.</summary>
/// <param name="Labels">Its labels.</param>
/// <param name="Times">The time of each value, milliseconds.</param>
/// <param name="Values">Its values; <see cref="Point.None"/> is left out.</param>
internal sealed record ResultSeries(Labels Labels, Func<int, long> Times, double[] Values);

/// <summary>The result of a query.</summary>
[JsonConverter(typeof(QueryResultConverter))]
internal sealed class QueryResult
{
    /// <summary>The series of a vector or matrix.</summary>
    public IReadOnlyList<ResultSeries> Series { get; init; } = [];

    /// <summary>Whether a series has one value only.</summary>
    public bool IsVector { get; init; }

    /// <summary>The one value of a scalar or string; null for the others.</summary>
    public (long TimeMs, string Text)? Single { get; init; }

    /// <summary>Writes a series.</summary>
    public void Write(Utf8JsonWriter json, ResultSeries series)
    {
        json.WriteStartObject();
        json.WriteStartObject("metric");
        foreach (var (name, value) in series.Labels.All)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WritePropertyName(IsVector ? "value" : "values");
        if (!IsVector)
            json.WriteStartArray();
        for (var i = 0; i < series.Values.Length; i++)
        {
            if (Point.IsThere(series.Values[i]))
                WriteValue(json, series.Times(i), Text(series.Values[i]));
        }
        if (!IsVector)
            json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes a time in seconds and a value as text.</summary>
    public static void WriteValue(Utf8JsonWriter json, long timeMs, string text)
    {
        json.WriteStartArray();
        if (timeMs % 1000 == 0)
            json.WriteNumberValue(timeMs / 1000);
        else
            json.WriteNumberValue(timeMs / 1000m);
        json.WriteStringValue(text);
        json.WriteEndArray();
    }

    /// <summary>A number as Prometheus writes it; reads back bit for bit.</summary>
    public static string Text(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsInfinity(value) ? value > 0 ? "+Inf" : "-Inf"
        : Written(value.ToString("R", CultureInfo.InvariantCulture), Math.Abs(value));

    // The shortest digits that read back, without an exponent from a millionth to a sextillion (Go's 'f' and 'e' as Prometheus uses them).
    private static string Written(string shortest, double size)
    {
        var e = shortest.IndexOf('E', StringComparison.Ordinal);
        if (e < 0)
            return shortest;
        if (size is < 1e-6 or >= 1e21)
            return shortest.Replace('E', 'e');
        var exponent = int.Parse(shortest.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = shortest[0] == '-' ? "-" : "";
        var digits = shortest[sign.Length..e].Replace(".", "", StringComparison.Ordinal);
        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : sign + digits.PadRight(exponent + 1, '0');
    }
}

/// <summary>Writes a whole result.</summary>
internal sealed class QueryResultConverter : JsonConverter<QueryResult>
{
    public override QueryResult Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("results are only written");

    public override void Write(Utf8JsonWriter writer, QueryResult value, JsonSerializerOptions options)
    {
        if (value.Single is var (time, text))
        {
            QueryResult.WriteValue(writer, time, text);
            return;
        }
        writer.WriteStartArray();
        foreach (var series in value.Series)
            value.Write(writer, series);
        writer.WriteEndArray();
    }
}

/// <summary>Writes the answer of a query series by series, so that a large one is not in memory as text as well.</summary>
internal static class QueryAnswer
{
    private const int BytesAtATime = 32 * 1024;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes status, headers and body.</summary>
    public static async Task WriteAsync(HttpResponse response, PrometheusAnswer<QueryData> answer, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        var result = answer.Data.Result;
        await using var json = new Utf8JsonWriter(response.BodyWriter, Options);
        json.WriteStartObject();
        json.WriteString("status", answer.Status);
        json.WriteStartObject("data");
        json.WriteString("resultType", answer.Data.ResultType);
        json.WritePropertyName("result");
        if (result.Single is var (time, text))
        {
            QueryResult.WriteValue(json, time, text);
        }
        else
        {
            json.WriteStartArray();
            foreach (var series in result.Series)
            {
                result.Write(json, series);
                if (json.BytesPending < BytesAtATime)
                    continue;
                await json.FlushAsync(cancellationToken);
                await response.BodyWriter.FlushAsync(cancellationToken);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }
}
