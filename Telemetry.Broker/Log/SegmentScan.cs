using Telemetry.Broker.Disk;

namespace Telemetry.Broker.Log;

/// <summary>A stretch of a segment file that holds no frame although frames follow.</summary>
/// <param name="Position">Where it begins.</param>
/// <param name="EndPosition">Where the next frame begins.</param>
/// <param name="Offset">The offset that was expected there.</param>
/// <param name="EndOffset">The offset of that next frame.</param>
internal readonly record struct Damage(long Position, long EndPosition, long Offset, long EndOffset);

/// <summary>
/// Reads a segment file from front to back. What is no frame is passed over, if a frame follows: when a sync group begins
/// after it, it had been synced, so it was damaged later and is told as such; otherwise it belongs to a group that was
/// never acknowledged, and the segment ends before it, as it does before a torn tail.
/// </summary>
internal sealed class SegmentScan(IDiskFile file, uint seed, SegmentScan.Visitor? visit = null)
{
    private const int BufferBytes = 1 << 20;

    private readonly long _length = file.Length;
    private readonly List<Damage> _damaged = [];
    private readonly List<(Frame Frame, long Position)> _unproven = [];
    private readonly List<Damage> _suspected = [];
    private byte[] _buffer = [];
    private long _bufferPosition;
    private int _buffered;
    private bool _stopped;

    /// <summary>Told of each frame, in order. What a frame points to is valid during the call only.</summary>
    /// <returns>Whether to go on.</returns>
    public delegate bool Visitor(in Frame frame, long position, int length);

    /// <summary>Where the last frame ends.</summary>
    public long EndPosition { get; private set; }

    /// <summary>The offset after the last frame.</summary>
    public long EndOffset { get; private set; }

    /// <summary>Synced frames that are gone.</summary>
    public IReadOnlyList<Damage> Damaged => _damaged;

    /// <summary>Bytes behind the end that are not zero, or frames: what a crash left of a write that nobody was told of.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Reads the file.</summary>
    /// <param name="position">Where to begin: at a frame.</param>
    /// <param name="offset">The offset that is expected there.</param>
    public void Run(long position, long offset)
    {
        EndPosition = position;
        EndOffset = offset;
        var seenPosition = position;
        var seenOffset = offset;
        while (position + Frame.HeaderBytes <= _length && !_stopped)
        {
            if (!TryRead(position, seenOffset, out var frame, out var length))
            {
                position += Frame.Alignment;
                continue;
            }
            if (position > seenPosition)
                _suspected.Add(new Damage(seenPosition, position, seenOffset, frame.Offset));
            if (frame.BeginsGroup)
                Prove();
            seenPosition = position + length;
            seenOffset = Math.Max(seenOffset, frame.EndOffset);
            if (_suspected.Count == 0)
                Take(frame, position, length);
            else
                _unproven.Add((Copy(frame), position));
            position = seenPosition;
        }
        TornBytes = _unproven.Count > 0 ? _length - EndPosition : NonZeroBytes(EndPosition);
    }

    /// <summary>Where the first frame at or after a position begins whose offset is not below that; the end of the file for none.</summary>
    public long NextFrame(long position, long offset)
    {
        while (position + Frame.HeaderBytes <= _length)
        {
            if (TryRead(position, offset, out _, out _))
                return position;
            position += Frame.Alignment;
        }
        return _length;
    }

    private void Prove()
    {
        _damaged.AddRange(_suspected);
        _suspected.Clear();
        foreach (var (frame, position) in _unproven)
            Take(frame, position, frame.LengthBytes());
        _unproven.Clear();
    }

    private void Take(in Frame frame, long position, int length)
    {
        _stopped |= visit is not null && !visit(frame, position, length);
        EndPosition = position + length;
        EndOffset = Math.Max(EndOffset, frame.EndOffset);
    }

    private bool TryRead(long position, long offset, out Frame frame, out int length)
    {
        frame = default;
        length = Frame.PeekLength(Bytes(position, Frame.HeaderBytes).Span);
        return length > 0
            && position + length <= _length
            && Frame.TryRead(Bytes(position, length), seed, out frame, out length)
            && frame.Offset >= offset;
    }

    /// <summary>Bytes of the file, through a buffer that is read on in large steps.</summary>
    private ReadOnlyMemory<byte> Bytes(long position, int count)
    {
        if (position < _bufferPosition || position + count > _bufferPosition + _buffered)
        {
            if (_buffer.Length < Math.Max(count, BufferBytes))
                _buffer = new byte[Math.Max(count, BufferBytes)];
            _bufferPosition = position;
            _buffered = file.Read(position, _buffer);
        }
        return _buffer.AsMemory((int)(position - _bufferPosition), Math.Min(count, _buffered));
    }

    private long NonZeroBytes(long position)
    {
        var last = position;
        for (var at = position; at < _length;)
        {
            var bytes = Bytes(at, (int)Math.Min(BufferBytes, _length - at)).Span;
            if (bytes.IsEmpty)
                break;
            var nonZero = bytes.LastIndexOfAnyExcept((byte)0);
            if (nonZero >= 0)
                last = at + nonZero + 1;
            at += bytes.Length;
        }
        return last - position;
    }

    private static Frame Copy(in Frame frame) => frame with { SourcePosition = frame.SourcePosition.ToArray(), Payload = frame.Payload.ToArray() };
}
