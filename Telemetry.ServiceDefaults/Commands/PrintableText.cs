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

    /// <summary>How many columns of a terminal printable text takes.</summary>
    public static int Width(string text)
    {
        var columns = 0;
        foreach (var rune in text.EnumerateRunes())
            columns += Width(rune);
        return columns;
    }

    /// <summary>Printable text in at most so many columns; where that is too few for it, it ends with <c>…</c>.</summary>
    public static string Cut(string text, int columns)
    {
        if (text.Length * 2 <= columns || Width(text) <= columns)
            return text;
        if (columns < 1)
            return "";
        var cut = new StringBuilder();
        var left = columns - 1;
        foreach (var rune in text.EnumerateRunes())
        {
            left -= Width(rune);
            if (left < 0)
                break;
            cut.Append(rune.ToString());
        }
        return cut.Append('…').ToString();
    }

    // What combines with the character before it takes no column of its own: marks, and the later parts of a Hangul syllable.
    private static int Width(Rune rune) => rune.Value switch
    {
        >= ' ' and <= '~' => 1,
        >= 0x1160 and <= 0x11FF => 0,
        _ when Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark => 0,
        _ => WideCharacters.Contains(rune) ? 2 : 1,
    };

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
