using System.Text.Json.Serialization;
using Telemetry.Gateway.Commands.Doctor;
using Telemetry.Gateway.Commands.Top;

namespace Telemetry.Gateway.Commands;

/// <summary>What commands write as JSON, with the names and times of the API.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    UseStringEnumConverter = true,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(DoctorAnswer))]
internal sealed partial class CommandJson : JsonSerializerContext;
