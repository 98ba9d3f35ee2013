using System.Text;
using Telemetry.Broker.Disk;
using Telemetry.Broker.Log;

namespace Telemetry.Tests.Broker.Durable;

/// <summary>The files of a log, byte by byte: what one version has written, every later one has to read. LogFiles, SegmentHeader, Frame and SegmentIndex draw them.</summary>
public class LayoutTests
{
    private const string Folder = "/data/topics/00000001000200030405060708090a0b/";
    private const string SegmentPath = Folder + "00000/00000000000000000000.log";
    private const string IndexPath = Folder + "00000/00000000000000000000.index";
    private const string TopicPath = Folder + "TOPIC";

    // The header; an epoch, a start, a producer that was opened; two batches.
    private static readonly string[] Segment =
    [
        "475055514c4f473100000001000200030405060708090a0b000000001845dbe60000000000000000000000000000000000000000000000000000000000000000",
        "4800000037acea6703010000000000000000000000000000000000000000000001000000000000800000000000000000000000000000000000000000000000000100000000000000",
        "48000000f27937fb04010000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "50000000757a2361020101000000000000000000000000000000000000000000020000000000008000000000000000000000000000000000000000000000000026b0e201000000007000000000000000",
        "58000000761396da0101010005000000090000000300000000000000000000000300000000000080888ca97c9b010000888ca97c9b010000000000000000000026b0e2010000000070726f7720337061796c6f6164203100",
        "580000007fe39b2601010000000000000a0000000200000003000000000000000400000000000080888ca97c9b010000888ca97c9b010000000000000000000000000000000000007061796c6f6164203232000000000000",
    ];

    private static readonly string[] Index =
    [
        "7a1e8b174750555149445831",
        "00000000000000000500000000000000d0010000000000000100000000000000",
        "00000000000000002001000000000000888ca97c9b010000888ca97c9b010000",
    ];

    private static readonly string[] Topic =
    [
        "8aec4ae4",
        "7b226964223a2230303030303030312d303030322d303030332d303430352d303630373038303930613062222c226e616d65223a2274656c656d65747279222c22706172746974696f6e73223a312c22637265617465645f756e69785f6d73223a313736373332333034353030302c22636865636b73756d5f73656564223a317d",
    ];

    [Fact]
    public async Task A_log_is_written_as_it_always_was()
    {
        var broker = new DurableBroker(newId: () => new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
        var epoch = await broker.Open("p");
        await broker.Publish(Encoding.UTF8.GetBytes("payload 1"), 3, "p", epoch, 0, Encoding.UTF8.GetBytes("row 3"));
        await broker.Publish(Encoding.UTF8.GetBytes("payload 22"), 2);
        await broker.DisposeAsync();
        Assert.Equal(string.Concat(Segment), Hex(SegmentPath));
        Assert.Equal(string.Concat(Index), Hex(IndexPath));
        Assert.Equal(string.Concat(Topic), Hex(TopicPath));

        string Hex(string path) => Convert.ToHexStringLower(broker.Disk.Contents(path).ToArray());
    }

    [Fact]
    public async Task A_log_of_the_first_version_is_read()
    {
        var disk = new SimulatedDisk();
        disk.MakeDirectory(Folder + "00000");
        disk.Overwrite(SegmentPath, Convert.FromHexString(string.Concat(Segment)));
        disk.Overwrite(IndexPath, Convert.FromHexString(string.Concat(Index)));
        disk.Overwrite(TopicPath, Convert.FromHexString(string.Concat(Topic)));
        await using var broker = new DurableBroker(disk);
        Assert.True(broker.Report.InOrder);
        Assert.Equal((0, 0), (broker.Report.TornBytes, broker.Report.DamagedRecords));
        var batches = await broker.ReadAll();
        Assert.Equal(["payload 1", "payload 22"], batches.Select(batch => Encoding.UTF8.GetString(batch.Payload.Span)));
        Assert.Equal([(0, 3), (3, 2)], batches.Select(batch => ((int)batch.BaseOffset, batch.RecordCount)));
        var (_, snapshots) = await broker.Finish(broker.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken));
        Assert.Equal((3, 3), (snapshots[0].NextSequence, snapshots[0].PositionSequence));
        Assert.Equal("row 3", Encoding.UTF8.GetString(snapshots[0].SourcePosition.Span));
    }

    [Fact]
    public async Task A_topic_that_was_kept_before_there_were_seeds_is_read()
    {
        await using var first = new DurableBroker(newId: () => Guid.Empty);
        await first.Publish(DurableLogTests.Text(0), records: 2);
        var disk = first.Disk.After(null);
        var path = disk.Files.Single(file => file.EndsWith("TOPIC", StringComparison.Ordinal));
        var text = Encoding.UTF8.GetString([.. disk.Contents(path).Skip(4)]).Replace(",\"checksum_seed\":0", "", StringComparison.Ordinal);
        Assert.DoesNotContain("seed", text, StringComparison.Ordinal);
        disk.Delete(path);
        SmallFile.Write(disk, path, Encoding.UTF8.GetBytes(text), LogFiles.TemporarySuffix);
        await using var second = new DurableBroker(disk, time: first.Time);
        DurableLogTests.AssertHolds(await second.ReadAll(), 1, recordsEach: 2);
    }
}
