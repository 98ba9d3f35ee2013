using System.Text.Json.Serialization;

namespace Telemetry.Gateway.Http;

/// <summary>An error answer, <c>application/problem+json</c> (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>The media type of every error answer.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>The kind of error, for programs; it does not change.</summary>
    public required string Type { get; init; }

    /// <summary>The kind of error, for people.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong with this request and what would be right.</summary>
    public required string Detail { get; init; }

    /// <summary>The parameter that is wrong, where it is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Parameter { get; init; }

    /// <summary>The trace of a request that failed inside, to be found in the gateway's log.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }
}

/// <summary>Ends a request with an error answer.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    /// <summary>The answer.</summary>
    public Problem Problem { get; } = problem;
}
