using System.Globalization;
using System.Text;

namespace Telemetry.Tests.Broker.Simulation;

/// <summary>A batch that says of itself what it is, so that everybody who meets it can check it.</summary>
internal sealed record SourceBatch(string Producer, int Partition, long Sequence, int Records, int Padding)
{
    public long EndSequence => Sequence + Records;

    public byte[] ToBytes() =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Producer} {Partition} {Sequence} {Records} {Padding} ") + new string('x', Padding));

    public static SourceBatch Read(ReadOnlySpan<byte> bytes)
    {
        var words = Encoding.UTF8.GetString(bytes).Split(' ');
        var batch = new SourceBatch(
            words[0],
            int.Parse(words[1], CultureInfo.InvariantCulture),
            long.Parse(words[2], CultureInfo.InvariantCulture),
            int.Parse(words[3], CultureInfo.InvariantCulture),
            int.Parse(words[4], CultureInfo.InvariantCulture));
        Assert.True(bytes.SequenceEqual(batch.ToBytes()), "a batch is not what was published");
        return batch;
    }

    /// <summary>What a producer says of its source after this batch.</summary>
    public byte[] Position() => PositionAt(EndSequence);

    public static byte[] PositionAt(long sequence) => Encoding.UTF8.GetBytes(sequence.ToString(CultureInfo.InvariantCulture));
}
