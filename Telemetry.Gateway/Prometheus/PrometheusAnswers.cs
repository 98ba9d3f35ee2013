using System.Text.Json.Serialization;

namespace Telemetry.Gateway.Prometheus;

/// <summary>Prometheus's envelope of an answer.</summary>
internal sealed record PrometheusAnswer<T>
{
    /// <summary>Always <c>success</c>.</summary>
    public string Status { get; init; } = "success";

    /// <summary>What was asked for.</summary>
    public required T Data { get; init; }

    /// <summary>What one should know of the answer, such as that a limit has cut it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Warnings { get; init; }
}

/// <summary>Prometheus's envelope of an error.</summary>
internal sealed record PrometheusError
{
    /// <summary>Always <c>error</c>.</summary>
    public string Status { get; init; } = "error";

    /// <summary><c>bad_data</c>, <c>execution</c>, <c>timeout</c> or <c>unavailable</c>.</summary>
    [JsonPropertyName("errorType")]
    public required string ErrorType { get; init; }

    /// <summary>What is wrong, and where in the query.</summary>
    public required string Error { get; init; }
}

/// <summary>The data of a query.</summary>
internal sealed record QueryData
{
    /// <summary><c>vector</c>, <c>matrix</c>, <c>scalar</c> or <c>string</c>.</summary>
    [JsonPropertyName("resultType")]
    public required string ResultType { get; init; }

    /// <summary>Series with their values; of scalar and string one value.</summary>
    public required QueryResult Result { get; init; }
}

/// <summary>What a metric is.</summary>
internal sealed record MetricMetadata
{
    /// <summary><c>gauge</c> or <c>counter</c>.</summary>
    public required string Type { get; init; }

    /// <summary>What it measures.</summary>
    public required string Help { get; init; }

    /// <summary>Its unit; empty where its name says it.</summary>
    public required string Unit { get; init; }
}

/// <summary>Which Prometheus this answers like.</summary>
internal sealed record BuildInfo
{
    /// <summary>The version of Prometheus whose API it is; clients choose requests by it.</summary>
    public required string Version { get; init; }

    /// <summary>What it really is.</summary>
    public required string Revision { get; init; }
}

/// <summary>The rules, of which there are none.</summary>
internal sealed record RuleGroups
{
    /// <summary>None.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}

/// <summary>The alerts, of which there are none.</summary>
internal sealed record Alerts
{
    /// <summary>None.</summary>
    [JsonPropertyName("alerts")]
    public IReadOnlyList<string> All { get; init; } = [];
}

/// <summary>How these answers are written; names that are not one word say so themselves.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PrometheusAnswer<QueryData>))]
[JsonSerializable(typeof(PrometheusAnswer<IReadOnlyList<string>>))]
[JsonSerializable(typeof(PrometheusAnswer<IReadOnlyList<IReadOnlyDictionary<string, string>>>))]
[JsonSerializable(typeof(PrometheusAnswer<IReadOnlyDictionary<string, IReadOnlyList<MetricMetadata>>>))]
[JsonSerializable(typeof(PrometheusAnswer<BuildInfo>))]
[JsonSerializable(typeof(PrometheusAnswer<RuleGroups>))]
[JsonSerializable(typeof(PrometheusAnswer<Alerts>))]
[JsonSerializable(typeof(PrometheusError))]
internal sealed partial class PrometheusJson : JsonSerializerContext;
