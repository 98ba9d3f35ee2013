using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Telemetry.Messaging.Records;

namespace Telemetry.Broker.Log;

/// <summary>What a frame holds.</summary>
internal enum FrameKind : byte
{
    /// <summary>A record batch.</summary>
    Batch = 1,

    /// <summary>What the log knows of a producer: written when it is opened, and at the beginning of each segment.</summary>
    Producer = 2,

    /// <summary>A log epoch and where it began: written when it is raised, and at the beginning of each segment.</summary>
    Epoch = 3,

    /// <summary>The offset of the first record that can still be read: written when it has moved.</summary>
    Start = 4,
}

/// <summary>
/// The unit of a segment file: everything that is appended is a frame, and a frame is there whole or not at all.
/// <code>
///   0  u32  length of the frame in bytes, a multiple of 8
///   4  u32  CRC-32C of bytes 8 to the end, begun with the seed of the topic
///   8  u8   kind
///   9  u8   version, 1
///  10  u16  bytes of the producer id, UTF-8
///  12  u32  bytes of the source position
///  16  u32  bytes of the payload
///  20  u32  records                        batch
///  24  i64  offset of the first record     others: of the next batch's
///  32  u64  sync group: frames of one number are made durable by one sync; bit 63 is set in the first of them
///  40  i64  append time, Unix ms           producer: next sequence
///  48  i64  append, log time in ms         producer: last use, log time in ms
///  56  i64  base sequence                  producer: sequence that follows the source position; start: the offset
///  64  i64  producer epoch                 epoch: the log epoch
///  72       producer id, source position, payload, zeros up to the length
/// </code>
/// Numbers are little-endian. A length below 72 is none: neither zeros nor the end of a file look like a frame. Nor does a
/// payload, whatever stands in it: the seed never leaves the broker.
/// </summary>
internal readonly record struct Frame
{
    /// <summary>The bytes before the producer id.</summary>
    public const int HeaderBytes = 72;

    /// <summary>Frames begin at multiples of this, counted from the beginning of the file.</summary>
    public const int Alignment = 8;

    /// <summary>The version that is written.</summary>
    public const byte Version = 1;

    /// <summary>The longest frame that is taken for one.</summary>
    public const int BytesMax = HeaderBytes + ushort.MaxValue + BrokerLimits.SourcePositionBytesMax + BrokerLimits.BatchBytesMax + Alignment;

    public required FrameKind Kind { get; init; }

    public required long Offset { get; init; }

    /// <summary>The number of the sync group.</summary>
    public long Group { get; init; }

    /// <summary>Whether it is the first of its sync group: then all that stands before it was synced.</summary>
    public bool BeginsGroup { get; init; }

    public int Records { get; init; }

    public long Time { get; init; }

    public long LogTime { get; init; }

    public long Sequence { get; init; }

    public long Epoch { get; init; }

    public string ProducerId { get; init; }

    public ReadOnlyMemory<byte> SourcePosition { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The offset after it.</summary>
    public long EndOffset => Offset + Records;

    public static Frame Of(StoredBatch batch) => new()
    {
        Kind = FrameKind.Batch,
        Offset = batch.BaseOffset,
        Records = batch.RecordCount,
        Time = batch.AppendTimeUnixMs,
        LogTime = batch.AppendLogMs,
        Sequence = batch.BaseSequence,
        Epoch = batch.ProducerEpoch,
        ProducerId = batch.ProducerId,
        SourcePosition = batch.SourcePosition,
        Payload = batch.Payload,
    };

    /// <summary>The batch of a batch frame.</summary>
    public StoredBatch ToBatch() => new()
    {
        BaseOffset = Offset,
        RecordCount = Records,
        AppendTimeUnixMs = Time,
        AppendLogMs = LogTime,
        BaseSequence = Sequence,
        ProducerEpoch = (int)Epoch,
        ProducerId = ProducerId,
        SourcePosition = SourcePosition,
        Payload = Payload,
    };

    /// <summary>Its length in a file.</summary>
    public int LengthBytes() => (int)Padded(HeaderBytes + Encoding.UTF8.GetByteCount(ProducerId ?? "") + SourcePosition.Length + (long)Payload.Length);

    /// <summary>The length of the frame that begins here, if its header can be one; 0 otherwise.</summary>
    public static int PeekLength(ReadOnlySpan<byte> header)
    {
        if (header.Length < HeaderBytes)
            return 0;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (length is < HeaderBytes or > BytesMax || length % Alignment != 0 || header[9] != Version)
            return 0;
        var content = HeaderBytes + (long)BinaryPrimitives.ReadUInt16LittleEndian(header[10..])
            + BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) + BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        return Padded(content) == length ? (int)length : 0;
    }

    /// <summary>Reads a frame; its source position and payload are slices of the bytes.</summary>
    /// <param name="bytes">What may begin with it.</param>
    /// <param name="seed">The seed of the topic's checksums.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>False when the bytes do not begin with a whole frame, or its checksum does not fit.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, uint seed, out Frame frame, out int length)
    {
        frame = default;
        var span = bytes.Span;
        length = PeekLength(span);
        if (length == 0 || length > span.Length || Crc32C.Append(seed, span[8..length]) != BinaryPrimitives.ReadUInt32LittleEndian(span[4..]))
            return false;
        var idBytes = BinaryPrimitives.ReadUInt16LittleEndian(span[10..]);
        var positionBytes = BinaryPrimitives.ReadInt32LittleEndian(span[12..]);
        var position = HeaderBytes + idBytes;
        frame = new Frame
        {
            Kind = (FrameKind)span[8],
            Records = BinaryPrimitives.ReadInt32LittleEndian(span[20..]),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(span[24..]),
            Group = BinaryPrimitives.ReadInt64LittleEndian(span[32..]) & long.MaxValue,
            BeginsGroup = (span[39] & 0x80) != 0,
            Time = BinaryPrimitives.ReadInt64LittleEndian(span[40..]),
            LogTime = BinaryPrimitives.ReadInt64LittleEndian(span[48..]),
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(span[56..]),
            Epoch = BinaryPrimitives.ReadInt64LittleEndian(span[64..]),
            ProducerId = Encoding.UTF8.GetString(span[HeaderBytes..position]),
            SourcePosition = bytes.Slice(position, positionBytes),
            Payload = bytes.Slice(position + positionBytes, BinaryPrimitives.ReadInt32LittleEndian(span[16..])),
        };
        return true;
    }

    private static long Padded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>
    /// Lays out frames as the parts of one write. They are collected in buffers of the pool, which go back with
    /// <see cref="Clear"/>; a large payload is a part of its own and is not copied.
    /// </summary>
    /// <param name="seed">The seed of the topic's checksums.</param>
    internal sealed class Writer(uint seed)
    {
        private const int BufferBytes = 64 << 10;

        // Below this a copy costs less than another part of the write.
        private const int CopiedBytesMax = 4 << 10;

        private readonly List<ReadOnlyMemory<byte>> _parts = [];
        private readonly List<byte[]> _buffers = [];
        private int _used;
        private int _partStart = -1; // where in the last buffer the last part begins; -1: that is a payload

        /// <summary>What is to be written.</summary>
        public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _parts;

        /// <summary>The length of all of it.</summary>
        public long Bytes { get; private set; }

        public void Clear()
        {
            foreach (var buffer in _buffers)
                ArrayPool<byte>.Shared.Return(buffer);
            _buffers.Clear();
            _parts.Clear();
            _used = 0;
            _partStart = -1;
            Bytes = 0;
        }

        public void Add(in Frame frame)
        {
            var id = frame.ProducerId ?? "";
            var idBytes = Encoding.UTF8.GetByteCount(id);
            var content = HeaderBytes + idBytes + frame.SourcePosition.Length;
            var length = checked((int)Padded(content + (long)frame.Payload.Length));
            var padding = length - content - frame.Payload.Length;
            Bytes += length;
            if (frame.Payload.Length <= CopiedBytesMax)
            {
                var whole = Take(length);
                Fill(whole, frame, id, idBytes, length);
                frame.Payload.Span.CopyTo(whole[content..]);
                whole[^padding..].Clear();
                BinaryPrimitives.WriteUInt32LittleEndian(whole[4..], Crc32C.Append(seed, whole[8..]));
                return;
            }
            var head = Take(content);
            Fill(head, frame, id, idBytes, length);
            _parts.Add(frame.Payload);
            _partStart = -1;
            var tail = Take(padding);
            tail.Clear();
            var crc = Crc32C.Append(Crc32C.Append(Crc32C.Append(seed, head[8..]), frame.Payload.Span), tail);
            BinaryPrimitives.WriteUInt32LittleEndian(head[4..], crc);
        }

        /// <summary>The next so many bytes of what is written.</summary>
        private Span<byte> Take(int bytes)
        {
            if (_buffers.Count == 0 || _buffers[^1].Length - _used < bytes)
            {
                _buffers.Add(ArrayPool<byte>.Shared.Rent(Math.Max(BufferBytes, bytes)));
                _used = 0;
                _partStart = -1;
            }
            var buffer = _buffers[^1];
            var taken = buffer.AsSpan(_used, bytes);
            if (_partStart < 0)
            {
                _partStart = _used;
                _parts.Add(default);
            }
            _used += bytes;
            _parts[^1] = buffer.AsMemory(_partStart, _used - _partStart);
            return taken;
        }

        private static void Fill(Span<byte> head, in Frame frame, string id, int idBytes, int length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)length);
            head[8] = (byte)frame.Kind;
            head[9] = Version;
            BinaryPrimitives.WriteUInt16LittleEndian(head[10..], checked((ushort)idBytes));
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], frame.SourcePosition.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[16..], frame.Payload.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[20..], frame.Records);
            BinaryPrimitives.WriteInt64LittleEndian(head[24..], frame.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(head[32..], frame.BeginsGroup ? frame.Group | long.MinValue : frame.Group);
            BinaryPrimitives.WriteInt64LittleEndian(head[40..], frame.Time);
            BinaryPrimitives.WriteInt64LittleEndian(head[48..], frame.LogTime);
            BinaryPrimitives.WriteInt64LittleEndian(head[56..], frame.Sequence);
            BinaryPrimitives.WriteInt64LittleEndian(head[64..], frame.Epoch);
            Encoding.UTF8.GetBytes(id, head[HeaderBytes..]);
            frame.SourcePosition.Span.CopyTo(head[(HeaderBytes + idBytes)..]);
        }
    }
}
