using CsvHelper;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Streamer.Sources;

/// <summary>What <see cref="CsvRowReader.Read"/> came to.</summary>
internal enum RowKind
{
    /// <summary>A row.</summary>
    Row,

    /// <summary>Something that is not a row; reading goes on at the line after the one where it begins.</summary>
    Broken,

    /// <summary>The end of what may be read.</summary>
    End,
}

/// <summary>
/// Reads the rows of a CSV file from any row's end on. What it yields depends only on the bytes from there on, wherever
/// reading began: that is what makes a restart see the same rows.
/// </summary>
internal sealed class CsvRowReader : IDisposable
{
    /// <summary>A row that is longer is broken.</summary>
    public const int RowBytesMax = 1024 * 1024;

    private readonly SafeFileHandle _file;
    private readonly long _limit;
    private readonly CsvReaderOptions _options;
    private CsvReader _reader;
    private long _baseOffset;
    private long _baseLine;
    private CsvMalformedReason? _malformed;

    /// <summary>Reads from an offset on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="separator">The character between fields.</param>
    /// <param name="offset">Where a row ends (before its line break), or 0.</param>
    /// <param name="line">The line, from 1, that <paramref name="offset"/> is in.</param>
    /// <param name="limit">Where to stop: nothing from there on is read. Then an open quote at the limit is not an error but the end.</param>
    public CsvRowReader(SafeFileHandle file, char separator, long offset, long line, long limit = FileSlice.ToEnd)
    {
        _file = file;
        _limit = limit;
        _options = new CsvReaderOptions
        {
            Separator = separator,
            HasHeader = false,
            TrackLineNumbers = true,
            TrimWhitespace = true,
            DetectSeparatorHint = false,
            MaxRecordSize = RowBytesMax,
            OnMalformedRecord = record => _malformed = record.Reason,
        };
        _reader = Open(offset, line);
        (EndOffset, EndLine) = (offset, line);
    }

    /// <summary>Where the row begins.</summary>
    public long Offset { get; private set; }

    /// <summary>Where it ends, before its line break: reading on from here yields the rows after it.</summary>
    public long EndOffset { get; private set; }

    /// <summary>The line, from 1, in which the row begins.</summary>
    public long Line { get; private set; }

    /// <summary>The line in which it ends.</summary>
    public long EndLine { get; private set; }

    /// <summary>Why the row is broken: one of <see cref="RowReasons"/>.</summary>
    public string BrokenReason { get; private set; } = "";

    /// <summary>The row's fields.</summary>
    public int FieldCount => _reader.FieldCount;

    /// <summary>A field, without quotes and without spaces around it; empty past the row's end. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Field(int index) => _reader.GetSpan(index);

    /// <summary>Goes to the next row; blank lines are passed over.</summary>
    public RowKind Read()
    {
        _malformed = null;
        try
        {
            if (!_reader.Read())
                return RowKind.End;
        }
        catch (CsvFormatException)
        {
            // Only a row over RowBytesMax throws. It begins at the first line that is not blank.
            return Break(SkipBlankLines(EndOffset, EndLine), RowReasons.TooLarge);
        }
        var raw = _reader.RawRecord;
        Offset = _baseOffset + _reader.ByteOffset;
        Line = _baseLine + _reader.LineNumber - 1;
        // CsvHelper checks the size only when it needs more input, which depends on where its buffer began.
        if (raw.Length > RowBytesMax)
            return Break((Offset, Line), RowReasons.TooLarge);
        if (_malformed is { } reason)
        {
            if (reason == CsvMalformedReason.UnterminatedQuote && _limit != FileSlice.ToEnd)
                return RowKind.End;
            // A quote in the middle of a field is text. Any other misplaced quote may have swallowed lines that are rows.
            if (reason != CsvMalformedReason.StrayQuote || raw.Contains((byte)'\n'))
                return Break((Offset, Line), RowReasons.MalformedQuotes);
        }
        EndOffset = Offset + raw.Length;
        EndLine = Line + LineBreaks(raw);
        return RowKind.Row;
    }

    public void Dispose() => _reader.Dispose();

    private CsvReader Open(long offset, long line)
    {
        (_baseOffset, _baseLine) = (offset, line);
        return CsvReader.Create(new FileSlice(_file, offset, _limit), _options, leaveOpen: false);
    }

    /// <summary>Gives up the row that begins at a place, and goes on after the first line of it.</summary>
    private RowKind Break((long Offset, long Line) begin, string reason)
    {
        (Offset, Line) = begin;
        BrokenReason = reason;
        EndOffset = EndOfLine(Offset);
        EndLine = Line;
        _reader.Dispose();
        _reader = Open(EndOffset, EndLine);
        return RowKind.Broken;
    }

    private (long Offset, long Line) SkipBlankLines(long offset, long line)
    {
        Span<byte> buffer = stackalloc byte[4096];
        byte previous = 0;
        while (Fill(buffer, offset) is { Length: > 0 } read)
        {
            foreach (var c in read)
            {
                if (c is (byte)'\n' or (byte)'\r')
                    line += c == '\n' && previous == '\r' ? 0 : 1;
                else if (c is not ((byte)' ' or (byte)'\t'))
                    return (offset, line);
                previous = c;
                offset++;
            }
        }
        return (offset, line);
    }

    private long EndOfLine(long offset)
    {
        var buffer = new byte[64 * 1024];
        while (Fill(buffer, offset) is { Length: > 0 } read)
        {
            var index = read.IndexOfAny((byte)'\n', (byte)'\r');
            if (index >= 0)
                return offset + index;
            offset += read.Length;
        }
        return offset;
    }

    private ReadOnlySpan<byte> Fill(Span<byte> buffer, long offset) =>
        offset >= _limit ? [] : buffer[..RandomAccess.Read(_file, buffer[..(int)Math.Min(buffer.Length, _limit - offset)], offset)];

    private static int LineBreaks(ReadOnlySpan<byte> raw)
    {
        if (raw.IndexOfAny((byte)'\n', (byte)'\r') < 0)
            return 0;
        var count = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\n' ? i == 0 || raw[i - 1] != '\r' : raw[i] == '\r')
                count++;
        }
        return count;
    }
}
