using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

/// <summary>
/// A segment file and what is known of it: a run is some frames on end, so that a record is found without an entry for each
/// batch. One thread appends; reads run beside it, and see no further than <see cref="EndOffset"/>.
/// </summary>
internal sealed class Segment(string path, IDiskFile file, long baseOffset) : ILogPart, IDisposable
{
    /// <summary>A run is closed at so many bytes: what is read at most to find a batch, against a megabyte of memory for a gigabyte of log.</summary>
    public const int RunBytes = 64 << 10;

    private volatile Run[] _runs = [];
    private int _count;
    private long _length = SegmentHeader.Bytes;
    private long _endOffset = baseOffset;

    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>The file.</summary>
    public IDiskFile File { get; } = file;

    /// <summary>The offset of its first record.</summary>
    public long BaseOffset { get; } = baseOffset;

    /// <summary>The offset after its last record.</summary>
    public long EndOffset => Volatile.Read(ref _endOffset);

    /// <summary>The bytes that are in use.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Its runs, in order.</summary>
    public ReadOnlySpan<Run> Runs
    {
        get
        {
            // The count first: the array that is read after it holds at least so many.
            var count = Volatile.Read(ref _count);
            return _runs.AsSpan(0, count);
        }
    }

    /// <summary>Notes a batch that stands in the file.</summary>
    /// <param name="frame">Its frame.</param>
    /// <param name="position">Where the frame begins.</param>
    /// <param name="runRecordsMax">A run is also closed at so many records.</param>
    /// <param name="afterDamage">What stands before it cannot be read: a reader that meets that goes on with the next run.</param>
    public void Add(in Frame frame, long position, int runRecordsMax, bool afterDamage = false)
    {
        var last = _count > 0 ? _runs[_count - 1] : null;
        if (last is null || afterDamage || position - last.Position >= RunBytes || frame.Offset - last.BaseOffset >= runRecordsMax)
            Add(last = new Run(frame.Offset, position));
        last.LastLogMs = Math.Max(last.LastLogMs, frame.LogTime);
        last.LastUnixMs = Math.Max(last.LastUnixMs, frame.Time);
    }

    /// <summary>Notes a run.</summary>
    public void Add(Run run)
    {
        if (_count == _runs.Length)
        {
            var larger = new Run[Math.Max(16, 2 * _count)];
            _runs.CopyTo(larger, 0);
            _runs = larger;
        }
        _runs[_count] = run;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Lets readers see what was written.</summary>
    public void Publish(long length, long endOffset)
    {
        Volatile.Write(ref _length, length);
        Volatile.Write(ref _endOffset, endOffset);
    }

    public void Dispose() => File.Dispose();
}

/// <summary>Some batches on end.</summary>
/// <param name="baseOffset">The offset of the first record.</param>
/// <param name="position">Where its first frame begins in the file.</param>
internal sealed class Run(long baseOffset, long position) : ILogPart
{
    private long _lastLogMs;
    private long _lastUnixMs;

    public long BaseOffset { get; } = baseOffset;

    public long Position { get; } = position;

    /// <summary>Log time of its newest batch.</summary>
    public long LastLogMs
    {
        get => Volatile.Read(ref _lastLogMs);
        set => Volatile.Write(ref _lastLogMs, value);
    }

    /// <summary>The latest wall time of its batches.</summary>
    public long LastUnixMs
    {
        get => Volatile.Read(ref _lastUnixMs);
        set => Volatile.Write(ref _lastUnixMs, value);
    }
}
