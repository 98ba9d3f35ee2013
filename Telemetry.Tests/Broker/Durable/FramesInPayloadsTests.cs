using System.Text;
using Telemetry.Broker.Log;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>Payloads that hold whole frames, as somebody would make them who knows the layout and what comes next: where the log is damaged around one, it is not taken for a part of the log.</summary>
public class FramesInPayloadsTests
{
    private const int PayloadBytes = 10_000; // is a part of its own in a write

    private readonly DurableBroker _first = new();

    [Theory]
    [InlineData(100)]
    [InlineData(PayloadBytes)]
    public async Task F03_a_frame_in_a_payload_is_not_served_when_the_frame_around_it_is_damaged(int bytes)
    {
        await _first.Publish(DurableLogTests.Text(0), records: 2);
        var begin = _first.Disk.Contents(_first.LastSegment).Count;
        await _first.Publish(Payload(bytes), records: 2);
        await _first.Publish(DurableLogTests.Text(2), records: 2);
        await using var second = Damaged(begin + 20);
        // In what recovery tells, and in what is read.
        Assert.Equal((2, 0), (second.Report.DamagedRecords, second.Report.TornBytes));
        Assert.Equal([0, 4], (await second.ReadAll()).Select(batch => batch.BaseOffset));
        Assert.Equal(6, second.Partition.EndOffset);
    }

    [Fact]
    public async Task F03_a_frame_in_a_payload_is_not_served_when_the_frame_around_it_is_damaged_under_a_running_broker()
    {
        await _first.Publish(DurableLogTests.Text(0), records: 2);
        var begin = _first.Disk.Contents(_first.LastSegment).Count;
        await _first.Publish(Payload(PayloadBytes), records: 2);
        await _first.Publish(DurableLogTests.Text(2), records: 2);
        await using var second = _first.Restart();
        second.Disk.Contents(second.LastSegment)[begin + 20] ^= 1;
        Assert.Equal([0, 4], (await second.ReadAll()).Select(batch => batch.BaseOffset));
        Assert.Equal(2, second.Partition.DamagedRecords);
    }

    [Fact]
    public async Task F02_a_frame_in_a_torn_payload_proves_nothing()
    {
        await _first.Publish(DurableLogTests.Text(0), records: 2);
        var begin = _first.Disk.Contents(_first.LastSegment).Count;
        await _first.Publish(Payload(PayloadBytes), records: 2);
        var whole = _first.Disk.Contents(_first.LastSegment).ToArray();
        // Cut in the payload, after the frames in it.
        _first.Disk.Overwrite(_first.LastSegment, whole[..^1000]);
        await using var second = _first.Restart();
        Assert.Equal(0, second.Report.DamagedRecords);
        Assert.InRange(second.Report.TornBytes, 1, whole.Length - 1000 - begin);
        Assert.Equal(2, second.Partition.EndOffset);
        Assert.Single(await second.ReadAll());
    }

    [Fact]
    public async Task F03_a_segment_that_is_published_into_its_own_topic_is_not_served_twice()
    {
        await _first.Publish(DurableLogTests.Text(0), records: 2);
        await _first.Publish(DurableLogTests.Text(1), records: 2);
        var begin = _first.Disk.Contents(_first.LastSegment).Count;
        await _first.Publish(_first.Disk.Contents(_first.LastSegment).ToArray(), records: 2);
        await _first.Publish(DurableLogTests.Text(2), records: 2);
        await using var second = Damaged(begin + 20);
        Assert.Equal(2, second.Report.DamagedRecords);
        Assert.Equal([0, 2, 6], (await second.ReadAll()).Select(batch => batch.BaseOffset));
    }

    /// <summary>Frames one after the other, at any place that a frame can begin at; the first begins a sync group, so that what stands before it counts as synced.</summary>
    private static byte[] Payload(int bytes)
    {
        var writer = new Frame.Writer(seed: 0);
        do
        {
            writer.Add(new Frame
            {
                Kind = FrameKind.Batch,
                Offset = 2,
                Records = 1,
                Group = 1000,
                BeginsGroup = true,
                ProducerId = "",
                Payload = Encoding.UTF8.GetBytes("never published"),
            });
        }
        while (writer.Bytes < bytes);
        return [.. writer.Parts.SelectMany(part => part.ToArray())];
    }

    private DurableBroker Damaged(int position)
    {
        _first.Disk.Contents(_first.LastSegment)[position] ^= 1;
        return _first.Restart();
    }
}
