using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Fleet;
using Telemetry.Gateway.Http;

namespace Telemetry.Gateway;

/// <summary>How answers are written: snake_case names, times as RFC 3339 in UTC, unknown labels as null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    UseStringEnumConverter = true,
    Converters = [typeof(UtcTimeConverter), typeof(DurationConverter)])]
[JsonSerializable(typeof(RecordsAnswer))]
[JsonSerializable(typeof(HostsAnswer))]
[JsonSerializable(typeof(GpusAnswer))]
[JsonSerializable(typeof(AggregationsAnswer))]
[JsonSerializable(typeof(SeriesAnswer))]
[JsonSerializable(typeof(LatestAnswer))]
[JsonSerializable(typeof(SummaryAnswer))]
[JsonSerializable(typeof(CompletenessAnswer))]
[JsonSerializable(typeof(FleetGpusAnswer))]
[JsonSerializable(typeof(InsightsAnswer))]
[JsonSerializable(typeof(UsageAnswer))]
[JsonSerializable(typeof(FleetRules))]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(LabelsAnswer))]
[JsonSerializable(typeof(MetricsAnswer))]
[JsonSerializable(typeof(PipelineAnswer))]
[JsonSerializable(typeof(PipelineHistoryAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(string))]
internal sealed partial class GatewayJson : JsonSerializerContext;

/// <summary>Times as <c>2025-07-18T20:42:34Z</c>, with milliseconds where they are not zero.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Rfc3339.TryParse(reader.GetString() ?? "", out var time) ? time : throw new JsonException($"not {Rfc3339.Expected}");

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[32];
        Rfc3339.TryFormat(value, text, out var written);
        writer.WriteStringValue(text[..written]);
    }
}
