using System.Text.Json;
using System.Text.Json.Serialization;

namespace Telemetry.Broker.Commands;

/// <summary>How answers are written for programs: snake_case names, times as RFC 3339 in UTC, what is not there as null.</summary>
/// <remarks>The default encoder escapes everything but printable ASCII, so a document is safe to look at in a terminal too.</remarks>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    IgnoreReadOnlyProperties = true,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(TopicsAnswer))]
[JsonSerializable(typeof(TopicDeletedAnswer))]
[JsonSerializable(typeof(GroupsAnswer))]
[JsonSerializable(typeof(GroupDeletedAnswer))]
[JsonSerializable(typeof(ResetAnswer))]
[JsonSerializable(typeof(PeekAnswer))]
internal sealed partial class CommandJson : JsonSerializerContext;

/// <summary>Times as <see cref="Figures.Rfc3339"/>.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Figures.Rfc3339(value));
}
