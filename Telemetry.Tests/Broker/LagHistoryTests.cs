using Telemetry.Broker;
using Telemetry.Broker.Groups;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

/// <summary>How far behind groups were.</summary>
public sealed class LagHistoryTests
{
    private static readonly TimeSpan Step = LagHistory.Step;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_group_is_looked_at_every_ten_seconds()
    {
        await using var broker = new BrokerUnderTest(records: 1000, partitions: 2);
        broker.Drain(broker.Join("g", "a", sessionSeconds: 300));
        broker.Pass(TimeSpan.FromSeconds(5)); // to a whole step
        await broker.Publish(30);
        broker.Pass(Step);
        broker.Commit("g", "a", 20);
        broker.Pass(Step / 2);
        broker.Pass(Step / 2);
        broker.Commit("g", "a", 30);
        broker.Pass(Step);

        var moments = broker.Core.Groups.Get("g").LagsSince(0, 0);
        Assert.Equal(
            [(0, -1, 0, 0), (30, -1, 30, 10), (30, 20, 10, 20), (30, 30, 0, 0)],
            moments.TakeLast(4).Select(moment => ((int)moment.Partitions[0].HighWatermark, (int)moment.Partitions[0].Committed, (int)moment.Partitions[0].Records, (int)moment.Partitions[0].Seconds)));
        Assert.All(moments, moment => Assert.Equal(new PartitionLag(0, -1, 0, 0), moment.Partitions[1]));
        Assert.Equal([10_000, 10_000], moments.TakeLast(3).Zip(moments.TakeLast(2), (before, after) => after.UnixMs - before.UnixMs));
        Assert.Equal(2, broker.Core.Groups.Get("g").LagsSince(moments[^2].UnixMs, 0).Count);
    }

    [Fact]
    public void An_hour_is_kept_in_steps_and_a_day_in_minutes_each_with_its_worst_moment()
    {
        var history = new LagHistory();
        const int steps = 30 * 60 * 6; // thirty hours
        for (var i = 0; i < steps; i++)
            history.Add(Moment(i * 10_000L, records: i % 6 == 3 ? 100 + i : 1, committed: i));

        var last = (steps - 1) * 10_000L;
        var all = history.Since(0, 0);
        Assert.InRange(all.Count, (23 * 60) + 360, (24 * 60) + 361);
        Assert.InRange(all[0].UnixMs, last - 24 * 3_600_000L, last - 24 * 3_600_000L + 60_000);
        Assert.Equal(all.Select(moment => moment.UnixMs).Order().Distinct(), all.Select(moment => moment.UnixMs));
        var (minute, step) = (all[5], all[^1]);
        var i0 = (int)(minute.UnixMs / 10_000);
        Assert.Equal(5, i0 % 6); // its last moment
        Assert.Equal((i0, 100 + i0 - 2), ((int)minute.Partitions[0].Committed, (int)minute.Partitions[0].Records));
        Assert.Equal((last, steps - 1), (step.UnixMs, (int)step.Partitions[0].Committed));

        var hours = history.Since(last - 6 * 3_600_000L, 3_600_000);
        Assert.Equal(7, hours.Count);
        Assert.All(hours, hour => Assert.True(hour.Partitions[0].Records > 100));
    }

    [Fact]
    public void F26_after_the_clock_was_set_back_no_time_is_told_twice()
    {
        var history = new LagHistory();
        for (var i = 0; i < 720; i++)
            history.Add(Moment(i * 10_000L, records: 1, committed: i));
        for (var i = 360; i < 400; i++)
            history.Add(Moment(i * 10_000L, records: 2, committed: 1000 + i));
        var all = history.Since(0, 0);
        Assert.Equal(all.Select(moment => moment.UnixMs).Order().Distinct(), all.Select(moment => moment.UnixMs));
        Assert.Equal(399 * 10_000L, all[^1].UnixMs);
        Assert.Equal(40, all.Count(moment => moment.Partitions[0].Records == 2));
    }

    [Fact]
    public void A_partition_that_a_topic_got_later_has_no_lag_before()
    {
        var one = new LagMoment(0, [new PartitionLag(5, 0, 5, 1)]);
        var two = new LagMoment(1, [new PartitionLag(9, 8, 1, 0.5f), new PartitionLag(3, -1, 3, 2)]);
        Assert.Equal([new PartitionLag(9, 8, 5, 1), new PartitionLag(3, -1, 3, 2)], one.With(two).Partitions);
    }

    [Fact]
    public async Task Of_how_many_partitions_it_is_kept_is_bounded()
    {
        await using var broker = new BrokerUnderTest(partitions: 2, limits: new BrokerLimits { LagPartitionsMax = 3 });
        broker.Join("a", "m");
        broker.Join("b", "m");
        broker.Join("input", "m", shards: 16);
        broker.Pass(Step);
        Assert.NotEmpty(broker.Core.Groups.Get("a").LagsSince(0, 0));
        Assert.Empty(broker.Core.Groups.Get("b").LagsSince(0, 0));
        Assert.Empty(broker.Core.Groups.Get("input").LagsSince(0, 0));
    }

    [Fact]
    public async Task It_is_told_with_the_group_in_the_steps_that_were_asked_for()
    {
        var time = new JumpingTime();
        await using var broker = await RunningBroker.StartAsync(time: time);
        broker.Core.Groups.Join("g", "telemetry", 0, new("m", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5), "test"));
        for (var i = 0; i < 12; i++)
        {
            time.Advance(Step);
            broker.Core.Tick();
        }
        Task<GroupDescription> Describe(long lastMs, long stepMs) =>
            broker.Admin.DescribeGroupAsync(new DescribeGroupRequest { Group = "g", LagHistoryMs = lastMs, LagStepMs = stepMs }, cancellationToken: Cancel).ResponseAsync;

        Assert.Empty((await Describe(0, 0)).LagHistory);
        var all = (await Describe(3_600_000, 0)).LagHistory;
        Assert.True(all.Count >= 24, $"{all.Count} points");
        Assert.Equal([0, 1], all.Take(2).Select(point => point.Partition));
        Assert.All(all, point => Assert.Equal((0, -1, 0), (point.HighWatermark, point.CommittedOffset, point.LagRecords)));
        Assert.InRange((await Describe(3_600_000, 60_000)).LagHistory.Count, 4, 8);
        foreach (var (last, step, text) in new[] { (-1L, 0L, "lag_history_ms: -1"), (1L, -1L, "lag_step_ms: -1") })
        {
            var refused = await RunningBroker.Refused(() => Describe(last, step));
            Assert.Equal(("INVALID_REQUEST", $"{text} is not accepted: expected 0 or more"), (refused.Code, refused.Detail));
        }
    }

    private static LagMoment Moment(long unixMs, long records, long committed) => new(unixMs, [new PartitionLag(committed + records, committed, records, records)]);
}
