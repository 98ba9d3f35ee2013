using System.Globalization;
using Microsoft.OpenApi;
using Telemetry.Gateway.Http;
using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Gateway.Prometheus;

/// <summary>A query or selector.</summary>
internal sealed class PromQlParameter(string name, string description) : Parameter<string?>(name, description, null)
{
    /// <inheritdoc/>
    public override string Expected => $"PromQL of 1 to {Parser.LengthMax} characters";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = Parser.LengthMax };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out string? value)
    {
        value = text;
        return text.Length <= Parser.LengthMax;
    }
}

/// <summary>An instant in milliseconds, as Prometheus reads times.</summary>
internal sealed class InstantParameter(string name, string description) : Parameter<long?>(name, description, null)
{
    /// <inheritdoc/>
    public override string Expected => "seconds since 1970-01-01 UTC, with a fraction or without, or an RFC 3339 time";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 40 };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out long? value)
    {
        var read = PromTime.TryParse(text, out var milliseconds);
        value = milliseconds;
        return read;
    }
}

/// <summary>A length of time in milliseconds, as Prometheus reads it.</summary>
internal sealed class SpanParameter(string name, string description) : Parameter<long?>(name, description, null)
{
    /// <inheritdoc/>
    public override string Expected => "seconds, or a duration such as 15s or 5m, of at least a millisecond and up to 100 years";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 40 };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out long? value)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds);
        long milliseconds = 0;
        if (isNumber && Math.Abs(seconds) <= PromDuration.MillisecondsMax / 1000)
            milliseconds = PromTime.Milliseconds(seconds);
        else if (!isNumber && !PromDuration.TryParse(text, out milliseconds))
            milliseconds = 0;
        value = milliseconds;
        return milliseconds > 0;
    }
}
