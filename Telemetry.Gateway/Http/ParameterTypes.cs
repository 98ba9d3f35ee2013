using System.Globalization;
using System.Text;
using Microsoft.OpenApi;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Gateway.Http;

/// <summary>A text, null by default.</summary>
public sealed class TextParameter(string name, string description) : Parameter<string?>(name, description, null)
{
    /// <summary>The most bytes of UTF-8; no label in the store is longer.</summary>
    public const int BytesMax = 1024;

    /// <inheritdoc/>
    public override string Expected => $"a text of 1 to {BytesMax} bytes";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = BytesMax };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out string? value)
    {
        value = text;
        return Encoding.UTF8.GetByteCount(text) <= BytesMax;
    }
}

/// <summary>A whole number in a range.</summary>
public sealed class NumberParameter(string name, string description, int min, int max, int fallback) : Parameter<int>(name, description, fallback)
{
    /// <inheritdoc/>
    public override string Expected => $"a whole number from {min} to {max}";

    internal override OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.Integer,
        Format = "int32",
        Minimum = min.ToString(CultureInfo.InvariantCulture),
        Maximum = max.ToString(CultureInfo.InvariantCulture),
        Default = Default,
    };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;
}

/// <summary>A time, null by default.</summary>
public sealed class TimeParameter(string name, string description) : Parameter<DateTimeOffset?>(name, description, null)
{
    /// <inheritdoc/>
    public override string Expected => Rfc3339.Expected;

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Format = "date-time" };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out DateTimeOffset? value)
    {
        var read = Rfc3339.TryParse(text, out var time);
        value = time;
        return read;
    }
}

/// <summary>A duration of whole seconds, null by default.</summary>
public sealed class DurationParameter(string name, string description, TimeSpan min, TimeSpan max) : Parameter<TimeSpan?>(name, description, null)
{
    /// <inheritdoc/>
    public override string Expected => $"whole seconds as a duration such as 30s, 5m or 1h, from {Durations.Format(min)} to {Durations.Format(max)}";

    /// <summary>What a duration looks like.</summary>
    internal const string Pattern = "^[0-9]+(\\.[0-9]+)?(s|m|h|d)$";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Pattern = Pattern };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out TimeSpan? value)
    {
        var read = Durations.TryParse(text, out var duration);
        value = duration;
        return read && duration >= min && duration <= max && duration.Ticks % TimeSpan.TicksPerSecond == 0;
    }
}

/// <summary>One of a few words.</summary>
public sealed class ChoiceParameter<T>(string name, string description, T fallback, string? defaultWord, params (string Word, T Value)[] choices)
    : Parameter<T>(name, description, fallback)
{
    /// <inheritdoc/>
    public override string Expected => "one of " + string.Join(", ", choices.Select(c => c.Word));

    internal override OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.String,
        Enum = [.. choices.Select(c => c.Word)],
        Default = defaultWord,
    };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out T value)
    {
        var found = Array.FindIndex(choices, c => c.Word == text);
        value = found < 0 ? Default : choices[found].Value;
        return found >= 0;
    }
}

/// <summary>Names separated by commas, null (all of them) by default.</summary>
public sealed class NamesParameter(string name, string description) : Parameter<IReadOnlyList<string>?>(name, description, null)
{
    /// <summary>The most names in a list.</summary>
    public const int NamesMax = 100;

    /// <inheritdoc/>
    public override string Expected => $"1 to {NamesMax} names, separated by commas, each once";

    internal override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Pattern = "^[^,]+(,[^,]+)*$" };

    /// <inheritdoc/>
    protected override bool TryRead(string text, out IReadOnlyList<string>? value)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        value = names;
        return names.Length <= NamesMax && names.All(n => n.Length > 0) && names.Distinct(StringComparer.Ordinal).Count() == names.Length;
    }
}
