using System.Globalization;
using System.Text;

namespace Telemetry.ServiceDefaults.Commands;

/// <summary>Text from the network for a terminal: what could steer it, or reorder or hide text, is written as its number.</summary>
public static class PrintableText
{
    private const int LineMax = 1_000;

    /// <summary>The text with characters that do not print as <c>\u001b</c>.</summary>
    public static string Of(string text)
    {
        if (text.All(c => c is >= ' ' and <= '~'))
            return text;
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsPrintable(rune))
                safe.Append(rune.ToString());
            else
                safe.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
        }
        return safe.ToString();
    }

    /// <summary>The same as one line of bounded length.</summary>
    public static string Line(string text) => Of(text.Length > LineMax ? text[..LineMax] + "..." : text);

    /// <summary>How many columns printable text takes.</summary>
    public static int Width(string text) => text.EnumerateRunes().Count(rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark);

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
