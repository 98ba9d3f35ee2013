using System.Text.Json.Serialization;

namespace Telemetry.Gateway.Commands.Doctor;

/// <summary>How bad it is.</summary>
internal enum Outcome
{
    /// <summary>As it should be.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>May need attention.</summary>
    [JsonStringEnumMemberName("warn")]
    Warn,

    /// <summary>Does not work.</summary>
    [JsonStringEnumMemberName("fail")]
    Fail,
}

/// <summary>What was looked at, and what was found.</summary>
/// <param name="Check">What was looked at, in a word.</param>
/// <param name="Outcome">How bad it is.</param>
/// <param name="Text">What was found, with figures.</param>
/// <param name="Advice">What to do; null where nothing is to be done.</param>
internal sealed record Diagnosis(string Check, Outcome Outcome, string Text, string? Advice)
{
    public static Diagnosis Ok(string check, string text) => new(check, Outcome.Ok, text, null);

    public static Diagnosis Warn(string check, string text, string advice) => new(check, Outcome.Warn, text, advice);

    public static Diagnosis Fail(string check, string text, string advice) => new(check, Outcome.Fail, text, advice);
}

/// <summary>What <c>doctor --json</c> writes.</summary>
internal sealed record DoctorAnswer
{
    /// <summary>When it was looked.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Whether nothing fails.</summary>
    public required bool Ok { get; init; }

    /// <summary>What was found.</summary>
    public required IReadOnlyList<Diagnosis> Data { get; init; }
}
