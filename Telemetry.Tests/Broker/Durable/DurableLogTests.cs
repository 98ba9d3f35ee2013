using System.Text;
using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker.Durable;

public class DurableLogTests
{
    [Fact]
    public async Task F01_what_was_acknowledged_is_there_after_a_kill()
    {
        await using var first = new DurableBroker();
        for (var i = 0; i < 100; i++)
            Assert.Equal(i * 3, (await first.Publish(Text(i), records: 3)).BaseOffset);
        await using var second = first.Restart();
        AssertHolds(await second.ReadAll(), 100, recordsEach: 3);
        Assert.Equal(300, (await second.Publish(Text(100), records: 3)).BaseOffset);
        Assert.Equal(0, second.Report.TornBytes);
        Assert.Equal(first.Partition.Log.TopicId, second.Partition.Log.TopicId);
    }

    [Fact]
    public async Task Batches_of_all_sizes_are_the_same_when_they_are_read_from_the_files()
    {
        await using var first = new DurableBroker();
        // Around what is copied into a write, what is read at once, and what a write collects.
        int[] sizes = [1, 4096, 4097, 79_928, 80_000, 200_000, 3, 65_536, 1_000_000, 7];
        var batches = sizes.Select(size => Enumerable.Range(0, size).Select(i => (byte)(i * 31 + size)).ToArray()).ToList();
        var publishes = batches.Select(batch => first.Begin(batch)).ToList();
        foreach (var publish in publishes)
            await first.Finish(publish);
        await using var second = first.Restart();
        Assert.Equal(batches, (await second.ReadAll()).Select(batch => batch.Payload.ToArray()));
        Assert.Equal(0, second.Partition.DamagedRecords);
    }

    [Fact]
    public async Task F02_a_segment_cut_anywhere_in_its_last_batches_ends_with_the_last_whole_one()
    {
        await using var first = new DurableBroker();
        var ends = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            await first.Publish(Text(i), producer: "", records: 2);
            ends.Add(first.Disk.Contents(first.LastSegment).Count);
        }
        var path = first.LastSegment;
        var whole = first.Disk.Contents(path).ToArray();
        for (var length = (int)ends[0]; length <= whole.Length; length++)
        {
            var disk = first.Disk.After(null);
            disk.Overwrite(path, whole[..length]);
            await using var second = new DurableBroker(disk, time: first.Time);
            var left = ends.Count(end => end <= length);
            AssertHolds(await second.ReadAll(), left, recordsEach: 2);
            Assert.Equal(length - ends[left - 1], second.Report.TornBytes + Zeros(whole, (int)ends[left - 1], length));
            Assert.Equal(left * 2, (await second.Publish(Text(9))).BaseOffset);
            // Who has read what is gone now is told, and goes on where the log does.
            var gap = await PartitionCursor.Open(second.Partition, new ReadFrom.Offset(10, first.Partition.Log)).ReadAsync(1000, [], TestContext.Current.CancellationToken);
            Assert.Equal(left == 5 ? null : new ReadGap(10, left * 2, GapReason.GapLogReplaced), gap);
        }
    }

    [Fact]
    public async Task F03_a_flipped_bit_is_never_served_and_never_drops_what_follows()
    {
        await using var first = new DurableBroker();
        for (var i = 0; i < 6; i++)
            await first.Publish(Text(i), records: 2);
        var path = first.LastSegment;
        var whole = first.Disk.Contents(path).ToArray();
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var damaged = whole.ToArray();
            damaged[random.Next(SegmentHeader.Bytes, damaged.Length)] ^= (byte)(1 << random.Next(8));
            var disk = first.Disk.After(null);
            disk.Overwrite(path, damaged);
            await using var second = new DurableBroker(disk, time: first.Time);
            var read = await second.ReadAll();
            Assert.All(read, batch => Assert.Equal(Text((int)batch.BaseOffset / 2), batch.Payload.ToArray()));
            if (second.Report.TornBytes > 0)
                Assert.Equal(Enumerable.Range(0, 5), read.Select(batch => (int)batch.BaseOffset / 2));
            else if (second.Report.DamagedRecords > 0)
                Assert.Equal(5, read.Count);
            else
                Assert.Equal(6, read.Count);
        }
    }

    [Fact]
    public async Task F03_damage_in_the_middle_is_a_gap_and_counted()
    {
        await using var first = new DurableBroker();
        var payload = new byte[5000];
        var begins = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            begins.Add(first.Disk.Files.Any(f => f.EndsWith(".log", StringComparison.Ordinal)) ? first.Disk.Contents(first.LastSegment).Count : 0);
            await first.Publish(payload, records: 10);
        }
        var disk = first.Disk.After(null);
        var bytes = disk.Contents(first.LastSegment).ToArray();
        bytes[begins[1] + 200] ^= 1;
        disk.Overwrite(first.LastSegment, bytes);
        await using var second = new DurableBroker(disk, time: first.Time);
        Assert.Equal(10, second.Partition.DamagedRecords);
        Assert.Equal([0, 20, 30], (await second.ReadAll()).Select(batch => batch.BaseOffset));
        Assert.Equal(40, second.Partition.EndOffset);
        var cursor = PartitionCursor.Open(second.Partition, new ReadFrom.Offset(10, null));
        var gap = await cursor.ReadAsync(1 << 20, [], TestContext.Current.CancellationToken);
        Assert.Equal(new ReadGap(10, 20, GapReason.GapCorrupt), gap);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(3_000_000)]
    public async Task F04_a_tail_of_zeros_is_no_record_and_no_loss(int zeros)
    {
        await using var first = new DurableBroker();
        for (var i = 0; i < 3; i++)
            await first.Publish(Text(i));
        var disk = first.Disk.After(null);
        disk.Overwrite(first.LastSegment, [.. disk.Contents(first.LastSegment), .. new byte[zeros]]);
        await using var second = new DurableBroker(disk, time: first.Time);
        AssertHolds(await second.ReadAll(), 3, recordsEach: 1);
        Assert.Equal(0, second.Report.TornBytes);
        Assert.Equal(3, (await second.Publish(Text(3))).BaseOffset);
    }

    [Fact]
    public async Task F05_a_sync_that_fails_is_an_error_and_the_partition_takes_no_more_writes()
    {
        await using var broker = new DurableBroker();
        await broker.Publish(Text(0));
        broker.Disk.FailSync = true;
        Assert.Equal(ErrorCode.StorageFailed, (await broker.Publish(Text(1))).Error);
        broker.Disk.FailSync = false;
        Assert.Equal(ErrorCode.StorageFailed, (await broker.Publish(Text(1))).Error);
        Assert.True(broker.Partition.Failed);
        Assert.Equal(1, broker.Partition.HighWatermark);
        AssertHolds(await broker.ReadAll(), 1, recordsEach: 1);
    }

    [Fact]
    public async Task F08_a_power_cut_right_after_a_roll_keeps_the_new_segment()
    {
        await using var first = new DurableBroker();
        var payload = new byte[4_000];
        for (var i = 0; i < 20; i++)
            await first.Publish(payload, records: 2);
        Assert.True(first.Disk.Files.Count(path => path.EndsWith(".log", StringComparison.Ordinal)) >= 2);
        await using var second = first.Restart(new Random(1));
        Assert.Equal(40, second.Partition.EndOffset);
        Assert.Equal(20, (await second.ReadAll()).Count);
        Assert.Equal(1, second.Report.Scanned);
    }

    [Fact]
    public async Task F09_an_index_that_is_missing_or_damaged_is_made_again()
    {
        await using var first = new DurableBroker();
        var payload = new byte[4_000];
        for (var i = 0; i < 40; i++)
            await first.Publish(payload, records: 2);
        foreach (var damage in new Action<SimulatedDisk, string>[]
        {
            (disk, path) => disk.Delete(path),
            (disk, path) => disk.Overwrite(path, [1, 2, 3]),
            (disk, path) => disk.Overwrite(path, [.. disk.Contents(path).Select(b => (byte)(b ^ 4))]),
        })
        {
            var disk = first.Disk.After(null);
            var index = disk.Files.First(path => path.EndsWith(".index", StringComparison.Ordinal));
            damage(disk, index);
            await using var second = new DurableBroker(disk, time: first.Time);
            Assert.Equal(2, second.Report.Scanned);
            Assert.Equal(40, (await second.ReadAll()).Count);
            Assert.Contains(index, disk.Files);
        }
    }

    [Fact]
    public async Task F10_a_retry_after_a_restart_is_recognised()
    {
        await using var first = new DurableBroker();
        var epoch = await first.Open("p");
        await first.Publish(Text(0), 5, "p", epoch, 0, Encoding.UTF8.GetBytes("row 5"));
        await first.Publish(Text(1), 5, "p", epoch, 5);
        await using var second = first.Restart(new Random(1));
        var again = await second.Publish(Text(1), 5, "p", epoch, 5);
        Assert.True(again.Duplicate);
        Assert.Equal(10, second.Partition.EndOffset);
        var (_, snapshots) = await second.Finish(second.Topic.OpenProducerAsync("p", TestContext.Current.CancellationToken));
        Assert.Equal(10, snapshots[0].NextSequence);
        Assert.Equal("row 5", Encoding.UTF8.GetString(snapshots[0].SourcePosition.Span));
        Assert.Equal(5, snapshots[0].PositionSequence);
        // F11, across the restart: the epoch before is fenced by the one that was opened now.
        Assert.Equal(ErrorCode.ProducerFenced, (await second.Publish(Text(2), 5, "p", epoch, 10)).Error);
    }

    [Fact]
    public async Task Producers_are_known_after_the_segments_with_their_batches_are_gone()
    {
        await using var first = new DurableBroker(records: 4);
        var epoch = await first.Open("p");
        await first.Publish(new byte[100], 1, "p", epoch, 0);
        var group = first.Core.Groups.Join("g", "telemetry", 0, new("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(ErrorCode.Ok, (await first.Publish(new byte[4_000], 1)).Error);
            group.Group.CommitAll(first.Partition.HighWatermark);
        }
        Assert.True(first.Partition.StartOffset > 17);
        Assert.True(first.Disk.Files.Count(path => path.EndsWith(".log", StringComparison.Ordinal)) <= 2);
        await using var second = first.Restart();
        Assert.True((await second.Publish(new byte[100], 1, "p", epoch, 0)).Duplicate);
        Assert.Equal(first.Partition.StartOffset, second.Partition.StartOffset);
    }

    [Fact]
    public async Task F20_a_copy_of_before_is_seen_by_those_who_have_read_further_and_only_by_them()
    {
        await using var first = new DurableBroker();
        await first.Publish(Text(0), records: 5);
        // A copy is made of a broker that was stopped in order, which then goes on for two more runs.
        await using var second = await first.RestartInOrder();
        var copy = second.Disk.After(null);
        await second.Publish(Text(1), records: 5);
        await using var third = second.Restart();
        await third.Publish(Text(2), records: 5);
        Assert.True(first.Partition.Log.LogEpoch < second.Partition.Log.LogEpoch && second.Partition.Log.LogEpoch < third.Partition.Log.LogEpoch);

        third.Time.Advance(TimeSpan.FromMinutes(1));
        await using var restored = new DurableBroker(copy, time: third.Time);
        await restored.Publish(Text(3), records: 20);
        foreach (var (reader, next, expected) in new[]
        {
            (first.Partition.Log, 5L, 5L), (second.Partition.Log, 5, 5), (second.Partition.Log, 3, 3), (second.Partition.Log, 10, 5), (third.Partition.Log, 15, 5), (third.Partition.Log, 7, 5),
        })
        {
            var cursor = PartitionCursor.Open(restored.Partition, new ReadFrom.Offset(next, reader));
            Assert.Equal(expected, cursor.Next);
            var gap = await cursor.ReadAsync(1000, [], TestContext.Current.CancellationToken);
            Assert.Equal(next == expected ? null : new ReadGap(next, expected, GapReason.GapLogReplaced), gap);
        }
    }

    [Fact]
    public async Task Epochs_of_which_nothing_is_left_are_forgotten()
    {
        var broker = new DurableBroker();
        for (var start = 0; start < 20; start++)
        {
            // Every other run appends something.
            if (start % 2 == 0)
                await broker.Publish(Text(start), records: 1);
            broker = start % 3 == 0 ? broker.Restart() : await broker.RestartInOrder();
        }
        var epochs = new List<long>();
        await broker.Publish(new byte[64 << 10]);
        await broker.Publish(Text(20));
        new SegmentScan(broker.Disk.Open(broker.LastSegment, create: false), broker.Topic.Stored.ChecksumSeed, (in Frame frame, long _, int _) =>
        {
            if (frame.Kind == FrameKind.Epoch)
                epochs.Add(frame.Sequence);
            return true;
        }).Run(SegmentHeader.Bytes, 0);
        Assert.Equal(Enumerable.Range(0, 11), epochs.Select(start => (int)start));
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task F20_a_log_that_was_lost_comes_back_with_another_epoch()
    {
        await using var first = new DurableBroker();
        await first.Publish(Text(0));
        var disk = first.Disk.After(null);
        disk.Delete(first.LastSegment);
        await using var second = new DurableBroker(disk, time: first.Time);
        Assert.Equal(first.Partition.Log.TopicId, second.Partition.Log.TopicId);
        Assert.NotEqual(first.Partition.Log.LogEpoch, second.Partition.Log.LogEpoch);
        Assert.Equal(0, second.Partition.EndOffset);
    }

    [Fact]
    public async Task F21_a_topic_deleted_and_made_again_knows_nothing_of_the_old_one()
    {
        await using var first = new DurableBroker();
        var epoch = await first.Open("p");
        await first.Publish(Text(0), 1, "p", epoch, 0);
        await first.Core.DeleteTopicAsync("telemetry");
        Assert.DoesNotContain(first.Disk.Files, path => path.EndsWith(".log", StringComparison.Ordinal));
        var id = first.Topic.Id;
        await using var second = first.Restart();
        Assert.Equal(id, second.Topic.Id);
        Assert.Equal(ErrorCode.UnknownProducer, (await second.Publish(Text(0), 1, "p", epoch, 0)).Error);
    }

    [Fact]
    public async Task F36_offsets_of_a_group_without_members_are_kept()
    {
        await using var first = new DurableBroker();
        for (var i = 0; i < 4; i++)
            await first.Publish(Text(i), records: 5);
        var session = first.Core.Groups.Join("g", "telemetry", 0, new("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test"));
        session.Group.CommitAll(15);
        session.Group.Leave(session);
        await using var second = await first.RestartInOrder();
        var (_, lag) = Assert.Single(second.Core.Groups.Get("g").Lags());
        Assert.Equal(5, lag.Records);
        Assert.True(second.Report.InOrder);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public async Task A_paused_group_is_paused_after_a_restart_until_it_is_resumed(int inputShards)
    {
        await using var first = new DurableBroker();
        await first.Publish(Text(0), records: 5);
        var options = new Telemetry.Broker.Groups.MemberOptions("m", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), "test");
        var session = first.Core.Groups.Join("g", "telemetry", inputShards, options);
        session.Group.Pause(true);
        await using var second = await first.RestartInOrder();
        var group = second.Core.Groups.Get("g");
        second.Core.Groups.Join("g", "telemetry", inputShards, options);
        Assert.True(group.IsPaused);
        Assert.All(group.Describe().Shards, shard => Assert.Equal("", shard.MemberId));

        group.Pause(false);
        Assert.All(group.Describe().Shards, shard => Assert.Equal("m", shard.MemberId));
        await using var third = await second.RestartInOrder();
        Assert.False(third.Core.Groups.Get("g").IsPaused);
    }

    internal static byte[] Text(int number) => Encoding.UTF8.GetBytes($"batch {number:D6}");

    private static int Zeros(byte[] bytes, int from, int to) => bytes[from..to].Reverse().TakeWhile(b => b == 0).Count();

    internal static void AssertHolds(List<StoredBatch> read, int batches, int recordsEach)
    {
        Assert.Equal(batches, read.Count);
        for (var i = 0; i < batches; i++)
        {
            Assert.Equal(i * recordsEach, read[i].BaseOffset);
            Assert.Equal(Text(i), read[i].Payload.ToArray());
        }
    }
}
