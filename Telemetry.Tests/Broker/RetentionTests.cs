using Telemetry.Broker.Log;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class RetentionTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromHours(1);

    [Fact]
    public async Task Read_records_vanish_at_their_ttl_without_a_word()
    {
        await using var broker = new BrokerUnderTest(ttl: Ttl);
        broker.Drain(broker.Join("g", "m", sessionSeconds: 300));
        await broker.Publish(10);
        broker.Commit("g", "m", 10);
        broker.Pass(Ttl);
        Assert.Equal(0, broker.Partition.StartOffset);
        broker.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal((10, 10), (broker.Partition.StartOffset, broker.Partition.HighWatermark));
        Assert.Equal(0, broker.Partition.ExpiredUnread);
        Assert.Equal(0, Shard(broker).GapRecords);
    }

    [Fact]
    public async Task F19_expired_unread_records_are_counted_and_told_as_a_gap()
    {
        await using var broker = new BrokerUnderTest(ttl: Ttl);
        broker.Drain(broker.Join("g", "m"));
        await broker.Publish(10);
        broker.Commit("g", "m", 4);
        var reader = PartitionCursor.Open(broker.Partition, new ReadFrom.Offset(4, broker.Partition.Log));
        broker.Pass(Ttl + TimeSpan.FromSeconds(1));
        await broker.Publish(5);

        Assert.Equal(6, broker.Partition.ExpiredUnread);
        Assert.Equal(6, Shard(broker).GapRecords);
        Assert.Equal(5, Shard(broker).Lag.Records);
        var batches = new List<StoredBatch>();
        Assert.Equal(new ReadGap(4, 10, GapReason.GapExpired), await reader.ReadAsync(1000, batches, TestContext.Current.CancellationToken));
        Assert.Null(await reader.ReadAsync(1000, batches, TestContext.Current.CancellationToken));
        Assert.Equal(10, Assert.Single(batches).BaseOffset);
    }

    [Fact]
    public async Task F19_the_slowest_group_decides_what_counts_as_unread()
    {
        await using var broker = new BrokerUnderTest(ttl: Ttl);
        broker.Drain(broker.Join("fast", "m"));
        broker.Drain(broker.Join("slow", "m"));
        await broker.Publish(10);
        broker.Commit("fast", "m", 10);
        broker.Commit("slow", "m", 7);
        broker.Pass(Ttl + TimeSpan.FromSeconds(1));
        Assert.Equal(3, broker.Partition.ExpiredUnread);
        Assert.Equal(0, Shard(broker, "fast").GapRecords);
        Assert.Equal(3, Shard(broker, "slow").GapRecords);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task F26_a_wall_clock_that_jumps_an_hour_expires_nothing_early_and_nothing_late(int hours)
    {
        await using var broker = new BrokerUnderTest(ttl: Ttl);
        await broker.Publish(10);
        broker.Time.Jump = TimeSpan.FromHours(hours);
        broker.Core.Tick();
        Assert.Equal(0, broker.Partition.StartOffset);
        await broker.Publish(10);
        broker.Pass(Ttl - TimeSpan.FromSeconds(1));
        Assert.Equal(0, broker.Partition.StartOffset);
        broker.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(20, broker.Partition.StartOffset);
    }

    [Fact]
    public async Task F36_a_group_without_members_keeps_its_offsets_and_shows_its_lag()
    {
        await using var broker = new BrokerUnderTest();
        var session = broker.Join("g", "m");
        broker.Drain(session);
        await broker.Publish(10);
        broker.Commit("g", "m", 4);
        session.Leave();
        broker.Pass(TimeSpan.FromHours(3));
        await broker.Publish(10);
        broker.Pass(TimeSpan.FromHours(1));

        var shard = Shard(broker);
        Assert.Equal((4, 16), (shard.Committed, shard.Lag.Records));
        Assert.Equal(TimeSpan.FromHours(4).TotalSeconds, shard.Lag.Seconds);
        Assert.Empty(broker.Core.Groups.Get("g").Describe().Members);
    }

    [Fact]
    public async Task Lag_is_zero_once_everything_is_committed()
    {
        await using var broker = new BrokerUnderTest();
        broker.Drain(broker.Join("g", "m"));
        await broker.Publish(10);
        broker.Commit("g", "m", 10);
        broker.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(new Lag(0, 0), Shard(broker).Lag);
    }

    [Fact]
    public async Task Batches_are_dropped_whole_over_many_segments()
    {
        await using var broker = new BrokerUnderTest(records: 1_000_000, ttl: Ttl);
        for (var i = 0; i < 1000; i++)
            await broker.Publish(3);
        broker.Pass(TimeSpan.FromMinutes(30));
        for (var i = 0; i < 1000; i++)
            await broker.Publish(3);
        broker.Pass(TimeSpan.FromMinutes(31));
        Assert.Equal((3000, 6000), (broker.Partition.StartOffset, broker.Partition.HighWatermark));
        var batches = new List<StoredBatch>();
        await broker.Partition.ReadAsync(4500, 3, batches, TestContext.Current.CancellationToken);
        Assert.Equal(4500, Assert.Single(batches).BaseOffset);
        broker.Pass(Ttl);
        Assert.Equal(0, broker.Partition.Bytes);
    }

    [Fact]
    public async Task The_rate_is_of_the_last_minute()
    {
        await using var broker = new BrokerUnderTest(records: 10_000);
        await broker.Publish(60);
        Assert.Equal(60, broker.Partition.AppendedPerSecond());
        broker.Pass(TimeSpan.FromSeconds(29));
        Assert.Equal(2, broker.Partition.AppendedPerSecond());
        broker.Pass(TimeSpan.FromSeconds(29));
        await broker.Publish(60);
        Assert.Equal(120 / 59.0, broker.Partition.AppendedPerSecond());
        broker.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(1, broker.Partition.AppendedPerSecond());
        broker.Pass(TimeSpan.FromHours(1));
        Assert.Equal(0, broker.Partition.AppendedPerSecond());
    }

    private static Telemetry.Broker.Groups.ShardStatus Shard(BrokerUnderTest broker, string group = "g") =>
        broker.Core.Groups.Get(group).Describe().Shards[0];
}
