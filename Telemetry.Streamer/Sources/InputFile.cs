using System.Globalization;
using System.IO.Hashing;
using System.Text;
using CsvHelper;
using Microsoft.Win32.SafeHandles;
using Telemetry.ServiceDefaults;

namespace Telemetry.Streamer.Sources;

/// <summary>A CSV file that can be streamed: what its columns mean, where its rows begin, and who it is.</summary>
internal sealed class InputFile
{
    /// <summary>A header may have at most this many bytes.</summary>
    private const int HeaderBytesMax = CsvRowReader.RowBytesMax;

    /// <summary>The first row's part in the identity ends here.</summary>
    private const int FirstLineBytesMax = 64 * 1024;

    /// <summary>
    /// The rows by which a column of a wide file is taken for a label: always the file's first, so that the answer does not
    /// depend on where reading begins.
    /// </summary>
    internal const int SampleRows = 64;

    private InputFile(string path, long fileIdentity, CsvLayout layout, long dataOffset, long dataLine, long length)
    {
        Path = path;
        Identity = fileIdentity;
        Layout = layout;
        DataOffset = dataOffset;
        DataLine = dataLine;
        Length = length;
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>The name without its folder.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>
    /// XxHash64 of the name, the header and the first row: the same while the file grows and in every replica, another when
    /// the file is replaced.
    /// </summary>
    public long Identity { get; }

    /// <summary>What the columns mean.</summary>
    public CsvLayout Layout { get; }

    /// <summary>Where the header ends, before its line break.</summary>
    public long DataOffset { get; }

    /// <summary>The line, from 1, in which the header ends.</summary>
    public long DataLine { get; }

    /// <summary>The bytes that the file had when it was opened.</summary>
    public long Length { get; }

    /// <summary>Opens the file for reading while others may append to it, rename it or delete it.</summary>
    /// <exception cref="StartupException">It is not there or may not be read.</exception>
    public static SafeFileHandle OpenHandle(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartupException($"CSV_FILE: there is no file '{path}'", error);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new StartupException($"CSV_FILE: '{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads the header and the first rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="needsTime">Whether it must have a time.</param>
    /// <param name="isWritten">Whether lines are still appended to it: then only whole lines count.</param>
    /// <returns>Null when it has no first row yet and <paramref name="isWritten"/>.</returns>
    /// <exception cref="StartupException">It cannot be streamed; the message says why.</exception>
    public static InputFile? Open(string path, bool needsTime, bool isWritten)
    {
        using var handle = OpenHandle(path);
        var length = RandomAccess.GetLength(handle);
        if (length == 0)
            return isWritten ? null : throw new StartupException($"CSV_FILE: '{path}' is empty; it needs a header and rows");
        var limit = isWritten ? EndOfLastLine(handle, 0, length) : length;
        if (ReadHeader(handle, path, limit) is not { } header || FirstLine(handle, header.End, limit) is not { } firstLine)
        {
            return isWritten ? null
                : throw new StartupException($"CSV_FILE: '{path}' has a header and no rows");
        }
        var sample = new Lazy<bool[]>(() => TextColumns(handle, header, limit));
        CsvLayout layout;
        try
        {
            layout = CsvLayout.Detect(header.Fields, header.Separator, needsTime, column => sample.Value[column]);
        }
        catch (StartupException error)
        {
            throw new StartupException($"CSV_FILE: '{path}': {error.Message}", error);
        }
        var identity = Hash(System.IO.Path.GetFileName(path), header.Raw, firstLine);
        return new InputFile(path, identity, layout, header.End, header.EndLine, length);
    }

    /// <summary>The offset after the last line break in a part of a file; its begin when there is none.</summary>
    internal static long EndOfLastLine(SafeFileHandle file, long begin, long end)
    {
        var buffer = new byte[64 * 1024];
        while (end > begin)
        {
            var from = Math.Max(begin, end - buffer.Length);
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)(end - from)), from);
            var index = buffer.AsSpan(0, read).LastIndexOf((byte)'\n');
            if (index >= 0)
                return from + index + 1;
            end = from;
        }
        return begin;
    }

    private sealed record Header(byte[] Raw, string[] Fields, char Separator, long End, long EndLine);

    private static Header? ReadHeader(SafeFileHandle file, string path, long limit)
    {
        var head = new byte[(int)Math.Min(limit, HeaderBytesMax)];
        head = head[..RandomAccess.Read(file, head, 0)];
        if (head is [0xff, 0xfe, ..] or [0xfe, 0xff, ..])
            throw new StartupException($"CSV_FILE: '{path}' is UTF-16; convert it to UTF-8");
        var begin = head.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        var line = 1L;
        while (begin < head.Length && head[begin] is (byte)'\n' or (byte)'\r')
        {
            if (head[begin] == '\n' || begin + 1 == head.Length || head[begin + 1] != '\n')
                line++;
            begin++;
        }
        var end = EndOfHeader(head, begin, ref line);
        if (end == head.Length)
        {
            if (limit > HeaderBytesMax)
                throw new StartupException(string.Create(CultureInfo.InvariantCulture, $"CSV_FILE: '{path}' has no line break in its first {HeaderBytesMax} bytes; it is not a CSV file"));
            return null;
        }
        var raw = head[begin..end];
        using var reader = CsvReader.Create(raw, new CsvReaderOptions { HasHeader = false, TrimWhitespace = true, DetectSeparatorHint = false });
        if (!reader.Read())
            return null;
        var fields = Enumerable.Range(0, reader.FieldCount).Select(i => Encoding.UTF8.GetString(reader.GetSpan(i))).ToArray();
        return new Header(raw, fields, reader.Separator, end, line);
    }

    /// <summary>The first line break that is not in quotes.</summary>
    private static int EndOfHeader(byte[] head, int begin, ref long line)
    {
        var quoted = false;
        var i = begin;
        for (; i < head.Length; i++)
        {
            if (head[i] == '"')
                quoted = !quoted;
            else if (head[i] is (byte)'\n' or (byte)'\r')
            {
                if (!quoted)
                    break;
                if (head[i] == '\n' || i + 1 == head.Length || head[i + 1] != '\n')
                    line++;
            }
        }
        return i;
    }

    /// <summary>The first line after the header that is not blank; null when there is none.</summary>
    private static byte[]? FirstLine(SafeFileHandle file, long offset, long limit)
    {
        var buffer = new byte[FirstLineBytesMax];
        while (offset < limit)
        {
            var read = buffer.AsSpan(0, RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, limit - offset)), offset));
            var begin = read.IndexOfAnyExcept(" \t\r\n"u8);
            if (read.Length == 0)
                return null;
            if (begin < 0)
            {
                offset += read.Length;
                continue;
            }
            var line = new byte[(int)Math.Min(FirstLineBytesMax, limit - offset - begin)];
            line = line[..RandomAccess.Read(file, line, offset + begin)];
            var end = line.AsSpan().IndexOfAny((byte)'\r', (byte)'\n');
            return end < 0 ? line : line[..end];
        }
        return null;
    }

    /// <summary>For each column whether the file's first rows have texts in it and no number.</summary>
    private static bool[] TextColumns(SafeFileHandle file, Header header, long limit)
    {
        var texts = new bool[header.Fields.Length];
        var numbers = new bool[header.Fields.Length];
        using var rows = new CsvRowReader(file, header.Separator, header.End, header.EndLine, limit);
        RowKind kind;
        for (var read = 0; read < SampleRows && (kind = rows.Read()) != RowKind.End; read++)
        {
            for (var i = 0; kind == RowKind.Row && i < header.Fields.Length; i++)
            {
                var cell = MetricCell.Read(rows.Field(i), [], out _);
                numbers[i] |= cell is CellKind.Number or CellKind.NotFinite;
                texts[i] |= cell == CellKind.Text;
            }
        }
        return [.. texts.Zip(numbers, (text, number) => text && !number)];
    }

    private static long Hash(string name, byte[] header, byte[] firstLine)
    {
        var hash = new XxHash64();
        hash.Append(Encoding.UTF8.GetBytes(name));
        hash.Append("\n"u8);
        hash.Append(header);
        hash.Append("\n"u8);
        hash.Append(firstLine);
        return (long)hash.GetCurrentHashAsUInt64();
    }
}
