using Microsoft.Win32.SafeHandles;

namespace Telemetry.Streamer.Sources;

/// <summary>
/// A part of a file as a stream: from an offset to a limit, or to the end. It has its own place, so that several can read
/// one handle, and does not close the handle.
/// </summary>
internal sealed class FileSlice(SafeFileHandle file, long offset, long limit) : Stream
{
    /// <summary>No limit but the end of the file.</summary>
    public const long ToEnd = long.MaxValue;

    private long _next = offset;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _next;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var room = Math.Min(buffer.Length, limit - _next);
        if (room <= 0)
            return 0;
        var read = RandomAccess.Read(file, buffer[..(int)room], _next);
        _next += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
