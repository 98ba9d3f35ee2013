using System.Text;
using Telemetry.Broker.Disk;
using Telemetry.Broker.Log;

namespace Telemetry.Tests.Broker.Durable;

public class GroupLogTests
{
    private const string Path = "/data/groups/OFFSETS";
    private static readonly Guid Topic = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void A_line_has_the_layout_that_is_documented()
    {
        using (var log = Open())
            log.Save([Group("g", 5, 7)], 1_767_323_045_000);
        Assert.Equal(
            """
            7200a07e {"at":1767323045000,"groups":[{"name":"g","topic_id":"00000001-0002-0003-0405-060708090a0b","input_shards":0,"generation":3,"shards":[{"shard":0,"committed":5,"committed_unix_ms":1,"gap_records":0},{"shard":1,"committed":7,"committed_unix_ms":1,"gap_records":0}],"paused":false}],"deleted":[]}

            """,
            Text());
    }

    [Fact]
    public void Only_what_has_changed_is_added()
    {
        using var log = Open();
        log.Save([Group("g", 5, 7), Group("h", 1, 1)], 1000);
        log.Save([Group("g", 5, 8), Group("h", 1, 1)], 2000);
        log.Save([Group("g", 5, 8), Group("h", 1, 1)], 3000);
        log.Save([Group("h", 1, 1)], 4000);
        var lines = Text().TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Contains("""[{"shard":1,"committed":8,""", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("\"h\"", lines[1], StringComparison.Ordinal);
        Assert.Contains("""deleted":["g"]""", lines[2], StringComparison.Ordinal);
        Assert.Equal(["h"], Open().Groups.Select(group => group.Name));
    }

    [Fact]
    public void F09_a_file_cut_anywhere_says_what_it_said_before_and_never_less()
    {
        var ends = new List<int>();
        using (var log = Open())
        {
            for (var i = 1; i <= 5; i++)
            {
                log.Save([Group("g", 10 * i, i)], 1000 * i);
                ends.Add(_disk.Contents(Path).Count);
            }
        }
        var whole = _disk.Contents(Path).ToArray();
        for (var length = ends[0]; length <= whole.Length; length++)
        {
            _disk.Overwrite(Path, whole[..length]);
            using var log = Open();
            var said = ends.Count(end => end <= length);
            Assert.Equal([10 * said, said], Assert.Single(log.Groups).Shards.Select(shard => shard.Committed));
            Assert.Equal(0, log.DamagedLines);
            // What comes next is found again although something stood behind the last line.
            log.Save([Group("g", 99, 99)], 9000);
            Assert.Equal([99, 99], Assert.Single(Open().Groups).Shards.Select(shard => shard.Committed));
        }
    }

    [Fact]
    public void F09_a_flipped_bit_costs_a_line_and_no_group_falls_back_to_nothing()
    {
        using (var log = Open())
        {
            for (var i = 1; i <= 5; i++)
                log.Save([Group("g", 10 * i, i)], 1000 * i);
        }
        var whole = _disk.Contents(Path).ToArray();
        for (var bit = 0; bit < whole.Length * 8; bit += 5)
        {
            if (bit % 8 == 5)
                continue; // makes capital letters of a checksum's, which says the same
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            _disk.Overwrite(Path, damaged);
            using var log = Open();
            // A bit that makes or breaks a line end costs a second line; behind the last one it looks like one under way.
            Assert.InRange(log.DamagedLines, bit / 8 == whole.Length - 1 ? 0 : 1, 2);
            Assert.InRange(Assert.Single(log.Groups).Shards[0].Committed, 30, 50);
        }
    }

    [Fact]
    public void F09_without_the_file_no_group_is_known()
    {
        using var log = Open();
        Assert.Empty(log.Groups);
        Assert.Empty(log.History("g", Topic, 0));
    }

    [Fact]
    public void History_says_how_far_a_group_was_at_a_time_and_stays_bounded()
    {
        using var log = Open(bytesMax: 64 << 10);
        const long second = 1000, day = 24 * 3600 * second;
        for (var time = 0L; time < 3 * day; time += 60 * second)
        {
            log.Save([Group("g", time / second, 0)], time);
            Assert.InRange(_disk.Contents(Path).Count, 0, (64 << 10) + 1000);
        }
        var history = log.History("g", Topic, 0).Where(point => point.Shard == 0).ToList();
        Assert.Equal(3 * day - 60 * second, history[^1].UnixMs);
        Assert.All(history, point => Assert.Equal(point.UnixMs, point.Offset * second));
        Assert.InRange(history.Count(point => point.UnixMs > 2 * day), 50, 1500);
        Assert.True(history.Zip(history.Skip(1)).All(pair => pair.First.UnixMs < pair.Second.UnixMs));
        Assert.Equal(history.Count(point => point.UnixMs >= 2 * day + 5), log.History("g", Topic, 2 * day + 5).Count);
        Assert.Empty(log.History("other", Topic, 0));
    }

    [Fact]
    public void F06_what_a_full_disk_refused_is_kept_with_the_next_save()
    {
        using var log = Open();
        log.Save([Group("g", 5, 7)], 1000);
        _disk.Room = 20;
        Assert.Throws<DiskFullException>(() => log.Save([Group("g", 6, 7)], 2000));
        Assert.Equal(5, Assert.Single(Open().Groups).Shards[0].Committed);
        _disk.Room = null;
        log.Save([Group("g", 7, 8)], 3000);
        Assert.Equal([7, 8], Assert.Single(Open().Groups).Shards.Select(shard => shard.Committed));
    }

    [Fact]
    public void F05_after_a_failed_sync_the_file_is_written_anew()
    {
        using var log = Open();
        log.Save([Group("g", 5, 7)], 1000);
        _disk.FailSync = true;
        Assert.Throws<IOException>(() => log.Save([Group("g", 6, 7)], 2000));
        _disk.FailSync = false;
        log.Save([Group("g", 6, 7)], 3000);
        using var after = new GroupLog(_disk.After(new Random(1)), Path, 1 << 20);
        Assert.Equal(6, Assert.Single(after.Groups).Shards[0].Committed);
    }

    [Fact]
    public void F07_what_a_killed_process_left_unsynced_does_not_go_with_the_power_once_it_was_read()
    {
        using (var log = Open())
        {
            log.Save([Group("g", 5, 7)], 1000);
            // Killed between the write of a line and its sync.
            _disk.DiesAfter = 1;
            Assert.Throws<IOException>(() => log.Save([Group("g", 6, 7)], 2000));
        }
        var disk = _disk.After(null);
        using (var log = new GroupLog(disk, Path, 1 << 20))
        {
            Assert.Equal(6, Assert.Single(log.Groups).Shards[0].Committed);
            log.Save([Group("g", 6, 7)], 3000);
        }
        for (var seed = 1; seed <= 10; seed++)
        {
            using var after = new GroupLog(disk.After(new Random(seed)), Path, 1 << 20);
            Assert.Equal(6, Assert.Single(after.Groups).Shards[0].Committed);
        }
    }

    [Fact]
    public void F05_what_was_refused_is_not_there_after_a_later_save_although_it_was_written()
    {
        using var log = Open();
        log.Save([Group("g", 5, 7), Group("h", 1, 1)], 1000);
        _disk.FailSync = true;
        Assert.Throws<IOException>(() => log.Save([Group("g", 6, 7) with { Paused = true }, Group("new", 1, 1)], 2000));
        _disk.FailSync = false;
        log.Save([Group("g", 5, 7), Group("h", 1, 1)], 3000);
        foreach (var disk in (SimulatedDisk[])[_disk, _disk.After(new Random(1)), _disk.After(new Random(2))])
        {
            using var after = new GroupLog(disk, Path, 1 << 20);
            Assert.Equal([("g", false, 5), ("h", false, 1)], after.Groups.OrderBy(group => group.Name).Select(group => (group.Name, group.Paused, group.Shards[0].Committed)));
        }
    }

    [Fact]
    public void History_has_each_change_once_and_nothing_of_another_group_of_that_name()
    {
        using var log = Open();
        log.Save([Group("g", 5, 7)], 1000);
        log.Save([Group("g", 5, 7) with { Paused = true }], 2000); // says all of the group
        log.Save([Group("g", 6, 7)], 3000);
        Assert.Equal([(0, 1000, 5), (1, 1000, 7), (0, 3000, 6)], log.History("g", Topic, 0).Select(point => (point.Shard, point.UnixMs, point.Offset)));
        Assert.Empty(log.History("g", Guid.Empty, 0));
        log.Save([], 4000);
        log.Save([Group("g", 5, 8)], 5000);
        Assert.Equal([(0, 5000, 5), (1, 5000, 8)], log.History("g", Topic, 0).Select(point => (point.Shard, point.UnixMs, point.Offset)));
    }

    private static StoredGroup Group(string name, long first, long second) => new(name, Topic, 0, 3, [new(0, first, 1, 0), new(1, second, 1, 0)]);

    private GroupLog Open(long bytesMax = 1 << 20) => new(_disk, Path, bytesMax);

    private string Text() => Encoding.UTF8.GetString(_disk.Contents(Path).ToArray());
}
