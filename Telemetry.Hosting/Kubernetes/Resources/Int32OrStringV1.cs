using System.Globalization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A number or a text, as a port's number or name; a text that is a number is one.</summary>
public sealed record Int32OrStringV1(int? Number = null, string? Text = null)
{
    /// <summary>A number.</summary>
    public Int32OrStringV1(int value)
        : this(Number: value)
    {
    }

    /// <summary>A text, or the number that it is.</summary>
    public Int32OrStringV1(string? value)
        : this(NumberOf(value), NumberOf(value) is null ? value : null)
    {
    }

    /// <summary>The number or the text as a text.</summary>
    public string? Value => Number?.ToString(CultureInfo.InvariantCulture) ?? Text;

    /// <summary>A number.</summary>
    public static implicit operator Int32OrStringV1(int value) => new(value);

    /// <summary>A text, or the number that it is.</summary>
    public static implicit operator Int32OrStringV1?(string? value) => value is null ? null : new Int32OrStringV1(value);

    /// <inheritdoc/>
    public override string? ToString() => Value;

    private static int? NumberOf(string? text) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
}
