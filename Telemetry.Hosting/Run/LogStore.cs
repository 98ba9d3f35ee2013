using Microsoft.Extensions.Logging;

namespace Telemetry.Hosting.Run;

/// <summary>How much of the logs is kept.</summary>
internal sealed record LogLimits
{
    /// <summary>The most lines.</summary>
    public int LinesMax { get; init; } = 10_000;

    /// <summary>The most bytes of text, at two bytes a character.</summary>
    public long BytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The most characters of one line; the rest of it is cut off.</summary>
    public int LineCharsMax { get; init; } = 8 * 1024;
}

/// <summary>
/// Keeps the newest lines of all processes. A reader has a place of its own in them: one that is slow misses the lines
/// that had to go meanwhile, and nothing is kept for it.
/// </summary>
internal sealed class LogStore(LogLimits limits, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _lines = new();
    private readonly Dictionary<string, LogLevel?> _levels = [];
    private long _bytes;
    private long _last;

    /// <summary>Raised with every line.</summary>
    public ChangeSignal Changes { get; } = new();

    /// <summary>The number of the newest line; 0 while there is none.</summary>
    public long LastSequence
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>Takes a line.</summary>
    /// <param name="source">Who wrote it.</param>
    /// <param name="text">The line.</param>
    /// <param name="isError">Whether it was written to standard error.</param>
    /// <param name="level">Its level where that is known already; otherwise it is read from the text.</param>
    public void Add(string source, string text, bool isError, LogLevel? level = null)
    {
        var cut = text.Length <= limits.LineCharsMax ? text : string.Concat(text.AsSpan(0, limits.LineCharsMax), "…");
        var content = level is null ? LogContent.Parse(cut) : new LogContent(level, null, cut);
        lock (_lock)
        {
            // The lines of a stack trace belong to the event above them.
            if (content.Level is null && content.Text is [' ' or '\t', ..])
                content = content with { Level = _levels.GetValueOrDefault(source) };
            _levels[source] = content.Level;
            var line = new LogLine(++_last, time.GetUtcNow(), source, isError, content);
            _lines.Enqueue(line);
            _bytes += Bytes(line);
            while (_lines.Count > limits.LinesMax || (_bytes > limits.BytesMax && _lines.Count > 1))
                _bytes -= Bytes(_lines.Dequeue());
        }
        Changes.Raise();
    }

    /// <summary>The oldest of the kept lines after a number, at most <paramref name="max"/> of them.</summary>
    public IReadOnlyList<LogLine> After(long sequence, int max)
    {
        lock (_lock)
        {
            if (sequence >= _last)
                return [];
            var skip = Math.Max(0, sequence - _lines.Peek().Sequence + 1);
            return [.. _lines.Skip((int)skip).Take(max)];
        }
    }

    private static long Bytes(LogLine line) => sizeof(char) * (long)(line.Content.Text.Length + (line.Content.Category?.Length ?? 0));
}
