namespace Telemetry.Streamer.Sources;

/// <summary>
/// Reads times as sources write them: RFC 3339 with any offset, <c>yyyy-MM-dd HH:mm:ss[.fff]</c> and nvidia-smi's
/// <c>yyyy/MM/dd HH:mm:ss.fff</c> (both UTC where they name no offset), and Unix time in seconds or milliseconds.
/// </summary>
internal static class SourceTime
{
    /// <summary>Numbers from here on are milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.</summary>
    private const long MillisecondsFrom = 100_000_000_000;

    /// <summary>Times after this are mistakes: the first instant of the year 2200.</summary>
    private const long UnixMsMax = 7_258_118_400_000;

    /// <summary>Reads a time as milliseconds since 1970 UTC; what is finer is cut off. False for anything else, and outside 1970–2199.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long unixMs)
    {
        text = text.Trim(" \t"u8);
        var read = text.Length > 4 && text[4] is (byte)'-' or (byte)'/'
            ? TryParseCalendar(text, out unixMs)
            : TryParseUnix(text, out unixMs);
        return read && unixMs is >= 0 and < UnixMsMax;
    }

    private static bool TryParseUnix(ReadOnlySpan<byte> text, out long unixMs)
    {
        unixMs = 0;
        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        if (whole.Length is 0 or > 15 || !TryDigits(whole, out var number))
            return false;
        var fraction = 0;
        if (point >= 0 && !TryFraction(text[(point + 1)..], out fraction))
            return false;
        unixMs = number >= MillisecondsFrom ? number : (number * 1000) + fraction;
        return true;
    }

    private static bool TryParseCalendar(ReadOnlySpan<byte> text, out long unixMs)
    {
        // 0 yyyy | 4 - or / | 5 MM | 7 the same | 8 dd | 10 T or space | 11 HH | 13 : | 14 mm | 16 : | 17 ss | 19 fraction, offset
        unixMs = 0;
        if (text.Length < 19 || text[7] != text[4] || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ') || text[13] != ':' || text[16] != ':')
            return false;
        if (!TryDigits(text[..4], out var year) || !TryDigits(text[5..7], out var month) || !TryDigits(text[8..10], out var day)
            || !TryDigits(text[11..13], out var hour) || !TryDigits(text[14..16], out var minute) || !TryDigits(text[17..19], out var second))
        {
            return false;
        }
        // A leap second counts as the first second of the next minute.
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth((int)year, (int)month)
            || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }
        var rest = text[19..];
        var fraction = 0;
        if (rest.Length > 0 && rest[0] is (byte)'.' or (byte)',')
        {
            var digits = 1;
            while (digits < rest.Length && char.IsAsciiDigit((char)rest[digits]))
                digits++;
            if (!TryFraction(rest[1..digits], out fraction))
                return false;
            rest = rest[digits..];
        }
        if (!TryOffset(rest, out var offsetMinutes))
            return false;
        var days = new DateOnly((int)year, (int)month, (int)day).DayNumber - UnixEpochDays;
        unixMs = ((((((days * 24L) + hour) * 60) + minute - offsetMinutes) * 60) + second) * 1000 + fraction;
        return true;
    }

    private static readonly int UnixEpochDays = new DateOnly(1970, 1, 1).DayNumber;

    /// <summary>Nothing (UTC), <c>Z</c>, <c>+hh:mm</c>, <c>+hhmm</c> or <c>+hh</c>.</summary>
    private static bool TryOffset(ReadOnlySpan<byte> text, out long minutes)
    {
        minutes = 0;
        text = text.Trim((byte)' ');
        if (text.Length == 0 || text is [(byte)'Z' or (byte)'z'] || text.SequenceEqual("UTC"u8))
            return true;
        if (text[0] is not ((byte)'+' or (byte)'-') || text.Length is not (3 or 5 or 6) || (text.Length == 6 && text[3] != ':'))
            return false;
        var minute = 0L;
        if (!TryDigits(text[1..3], out var hour) || (text.Length > 3 && !TryDigits(text[^2..], out minute)) || hour > 23 || minute > 59)
            return false;
        minutes = (text[0] == '-' ? -1 : 1) * ((hour * 60) + minute);
        return true;
    }

    /// <summary>The first three digits of a fraction as milliseconds.</summary>
    private static bool TryFraction(ReadOnlySpan<byte> digits, out int milliseconds)
    {
        milliseconds = 0;
        if (digits.Length is 0 or > 12 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        for (var i = 0; i < 3; i++)
            milliseconds = (milliseconds * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> digits, out long number)
    {
        number = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit((char)c))
                return false;
            number = (number * 10) + (c - '0');
        }
        return true;
    }
}
