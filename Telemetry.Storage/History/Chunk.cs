namespace Telemetry.Storage.History;

/// <summary>
/// A chunk: the samples of one series within a window of time, sorted by time, compressed so that every value comes back
/// bit for bit and each metric can be read without the others.
/// <code>
///   0  u32     CRC-32C of bytes 4 to the end
///   4  u8      version, 1
///   5  varint  rows, 1 to 65,536
///      varint  metrics
///      varint  bytes of the times
///              the directory, for each metric in order of its id:
///      varint  id, less the id before it (the first: less -1), minus 1
///      varint  bytes of its column
///              the times: integers, see <see cref="IntegerWriter"/>
///              the columns, one after the other:
///      u8      shape: bits 0-3  decimal digits 0 to 14, or 15: the integers are the bits of the doubles
///                     bit  4    some rows lack the metric
///                     bit  5    mirror: the sum with an earlier column, or the difference from it, is constant
///                     bit  6    of a mirror: it is the sum
///              a mirror: varint index of that column in the directory, zigzag varint the constant; and no more
///              where rows lack it: integers, for each row 1 (present) or 0
///              integers, for each row that has it: value × 10^digits, or the bits
/// </code>
/// Numbers are little-endian; a varint is LEB128 of 64 bits. A column that no row has is not there. A NaN is "not
/// measured"; which NaN it was is not kept. All else is kept, so -0.0 and infinities too.
/// </summary>
/// <remarks>
/// There is no shape for a constant column or a constant step: integers that are all predicted take no bits.
/// Mirrors are there because DCGM reports memory used and memory free, of which one says nothing new and both walk.
/// </remarks>
internal static class Chunk
{
    /// <summary>The version that is written.</summary>
    public const byte Version = 1;

    /// <summary>The rows of one chunk.</summary>
    public const int RowsMax = 65_536;

    /// <summary>The columns of one chunk: the minutes of a store with as many metrics as it may have are six times as many.</summary>
    public const int MetricsMax = 4_096;

    internal const int HeaderBytes = 5;

    internal const int DigitsMask = 0x0F;
    internal const int BitsOfDoubles = 0x0F;
    internal const int HasAbsent = 0x10;
    internal const int Mirror = 0x20;
    internal const int MirrorOfSum = 0x40;

    /// <summary>The error of a chunk that is not what was written.</summary>
    internal static StoreException Damaged(string what) => new(StoreFault.Damaged, $"a chunk of the history is damaged: {what}");
}
