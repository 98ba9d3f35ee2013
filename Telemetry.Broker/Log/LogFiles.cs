using System.Globalization;

namespace Telemetry.Broker.Log;

/// <summary>
/// Every name below DATA_PATH. Numbers are padded, so that a listing is in order.
/// <code>
///   LOCK                                    held by the broker that uses the folder
///   topics/ID/TOPIC                         name, partitions, when it was made; a topic without it was never made, or deleted
///   topics/ID/00000/00000000000000000000.log    a segment of partition 0, by the offset of its first record
///   topics/ID/00000/00000000000000000000.index  where its runs begin; made again when it is missing
///   groups/OFFSETS                          how far groups have read, now and before
/// </code>
/// </summary>
internal static class LogFiles
{
    public const string Lock = "LOCK";
    public const string Topics = "topics";
    public const string Topic = "TOPIC";
    public const string Groups = "groups";
    public const string Offsets = "OFFSETS";
    public const string SegmentSuffix = ".log";
    public const string IndexSuffix = ".index";

    /// <summary>What is written under another name first.</summary>
    public const string TemporarySuffix = ".new";

    public static string TopicFolder(Guid id) => id.ToString("N");

    public static string Partition(int partition) => partition.ToString("D5", CultureInfo.InvariantCulture);

    public static string Segment(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + SegmentSuffix;

    public static string Index(string segmentPath) => Path.ChangeExtension(segmentPath, IndexSuffix);

    /// <summary>The offset in the name of a segment; null for another file.</summary>
    public static long? SegmentOffset(string name) =>
        name.EndsWith(SegmentSuffix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(0, name.Length - SegmentSuffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : null;
}
