using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Messaging.Client;
using Telemetry.Messaging.Records;
using Telemetry.Messaging.V1;
using Telemetry.ServiceDefaults;
using Telemetry.Streamer;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>The streaming loop against a queue in memory.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly TestInput _files = new();
    private readonly StreamerMetrics _metrics = new();
    private readonly TestLog _log = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private StreamerOptions Options => _files.Options;

    public void Dispose()
    {
        _files.Dispose();
        _metrics.Dispose();
    }

    private sealed record Run(Task<SessionEnd> Task, StreamTotals Totals, CancellationTokenSource Stop);

    private Run Start(StreamerOptions options, FakeQueue queue, TimeProvider? time = null, int? windowRows = null)
    {
        time ??= TimeProvider.System;
        var totals = new StreamTotals();
        var context = new StreamContext(options, queue, _metrics, new BadRows(_log, _metrics, time), totals, time, _log);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var input = Input.Open(options)!;
        return new Run(Task.Run(async () =>
        {
            using var session = new StreamSession(context, input, 4, windowRows);
            return await session.RunAsync(stop.Token);
        }, Cancelled), totals, stop);
    }

    private static async Task<SessionEnd> EndOf(Run run) => await run.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancelled);

    private static string Rows(int count, int from = 0) => string.Concat(Enumerable.Range(from, count).Select(
        i => $"2025-07-18T20:{i / 60:00}:{i % 60:00}Z,host{i % 37},{i % 8},u{i % 37},{i % 100},{i % 90}\n"));

    private static void AssertEachOnce(FakeQueue queue, ReadResult expected) =>
        Assert.Equal(expected.Samples.Select(TestInput.Text).Order(), queue.Samples.Select(TestInput.Text).Order());

    [Fact]
    public async Task A_finite_input_is_sent_once_and_the_session_ends_when_all_of_it_is_acknowledged()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(500));
        var queue = new FakeQueue();
        queue.HoldAnswers();
        var run = Start(Options, queue);
        await queue.WaitAsync(q => q.Memberships.Count == 1, Cancelled);
        Assert.False(run.Task.IsCompleted);
        queue.Answer();
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        AssertEachOnce(queue, expected);
        Assert.Equal(500, run.Totals.Acknowledged);
        Assert.Equal(500, run.Totals.Rows);
        Assert.True(queue.Memberships[0].Left.IsCompleted);
    }

    [Fact]
    public async Task Each_GPU_goes_to_the_partition_of_its_placement_hash_in_its_order()
    {
        _files.Write(TestInput.WideHeader + Rows(1000));
        var queue = new FakeQueue();
        Assert.Equal(SessionEnd.Finished, await EndOf(Start(Options, queue)));
        Assert.All(queue.Records, record => Assert.Equal((int)(record.Sample.Identity.PlacementHash % 4), record.Partition));
        Assert.All(
            queue.Samples.GroupBy(sample => (sample.Identity.HostId, sample.Identity.GpuId)),
            gpu => Assert.Equal(gpu.Select(sample => sample.TimeUnixMs).Order(), gpu.Select(sample => sample.TimeUnixMs)));
    }

    [Fact]
    public async Task A_batch_carries_the_span_that_made_it()
    {
        _files.Write(TestInput.WideHeader + Rows(20));
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Telemetry.Streamer",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (spans)
                    spans.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var queue = new FakeQueue();
        Assert.Equal(SessionEnd.Finished, await EndOf(Start(Options, queue)));
        lock (spans)
        {
            Assert.All(queue.Traces, trace => Assert.Contains(spans, span => span.SpanId == trace.SpanId && span.TraceId == trace.TraceId));
            Assert.NotEmpty(queue.Traces);
            Assert.Equal(queue.Traces.Count, queue.Traces.Select(trace => trace.SpanId).Distinct().Count());
        }
        Assert.Null(Activity.Current);
    }

    [Fact]
    public async Task The_group_and_its_shards_are_named_by_the_input()
    {
        _files.Write(TestInput.WideHeader + Rows(3));
        var queue = new FakeQueue();
        await EndOf(Start(Options, queue));
        var input = Input.Open(Options)!;
        Assert.Equal($"input/telemetry/{input.Id("telemetry", 16)}", queue.Memberships[0].Group);
        Assert.Equal(16, queue.Memberships[0].Shards);
        Assert.NotEqual(input.Id("telemetry", 16), input.Id("telemetry", 18));
        Assert.NotEqual(input.Id("telemetry", 16), input.Id("other", 16));
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(3, 18)]
    [InlineData(4, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 17)]
    public void The_shards_are_at_least_sixteen_and_a_multiple_of_the_partitions(int partitions, int shards) =>
        Assert.Equal(shards, StreamSession.ShardCount(partitions));

    [Fact]
    public async Task F29_A_run_after_the_end_finds_nothing_left_to_send()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(100));
        var queue = new FakeQueue();
        await EndOf(Start(Options, queue));
        var again = Start(Options, queue);
        Assert.Equal(SessionEnd.Finished, await EndOf(again));
        AssertEachOnce(queue, expected);
        Assert.True(again.Totals.HadState);
        Assert.Equal(0, again.Totals.Acknowledged);
    }

    [Fact]
    public async Task F28_Rows_that_were_appended_since_are_sent_by_the_next_run()
    {
        _files.Write(TestInput.WideHeader + Rows(50));
        var queue = new FakeQueue();
        await EndOf(Start(Options, queue));
        _files.Append(Rows(70, from: 50));
        await EndOf(Start(Options, queue));
        AssertEachOnce(queue, TestInput.ReadAll(Options));
        Assert.Equal(120, queue.Samples.Count);
    }

    [Fact]
    public async Task F37_From_one_to_three_streamers_and_back_each_row_is_sent_once()
    {
        var header = TestInput.LongHeader;
        var rows = string.Concat(Enumerable.Range(0, 4000).Select(i => TestInput.LongRow(
            $"2025-07-18T20:{i / 200:00}:00Z", i % 2 == 0 ? "DCGM_FI_DEV_GPU_UTIL" : "DCGM_FI_DEV_GPU_TEMP", $"host{i / 2 % 25}", $"{i / 50 % 4}", $"{i % 100}")));
        var expected = _files.ReadAll(header + rows);
        var queue = new FakeQueue { OnJoin = _ => { } };
        var options = Options with { StreamInterval = TimeSpan.FromTicks(1), BatchSize = 7 };
        var runs = new List<Run>();
        for (var i = 0; i < 3; i++)
        {
            runs.Add(Start(options, queue, windowRows: 16));
            await queue.WaitAsync(q => q.Memberships.Count == runs.Count, Cancelled);
        }
        var members = queue.Memberships;
        var owners = Enumerable.Range(0, 3).Select(_ => new HashSet<int>()).ToList();
        owners[0].UnionWith(Enumerable.Range(0, 16));
        members[0].Assign(owners[0]);
        var random = new Random(7);
        for (var step = 0; step < 12; step++)
        {
            var sent = queue.Samples.Count;
            await queue.WaitAsync(q => q.Samples.Count > sent || members.Any(member => member.Left.IsCompleted), Cancelled);
            var (from, to) = (random.Next(3), random.Next(3));
            var moved = owners[from].Where(_ => random.Next(2) == 0).ToList();
            if (from == to || moved.Count == 0 || runs[from].Task.IsCompleted || runs[to].Task.IsCompleted)
                continue;
            if (random.Next(3) == 0)
                members[from].Lose(moved);
            else if (!await members[from].RevokeAsync(moved, TimeSpan.FromSeconds(10), Cancelled))
                continue;
            owners[from].ExceptWith(moved);
            owners[to].UnionWith(moved);
            members[to].Assign(moved);
        }
        await HandOnUntilTheEndAsync(runs, members, owners);
        // A streamer that was being handed shards when it had just finished leaves them to whoever comes next.
        queue.OnJoin = null;
        Assert.Equal(SessionEnd.Finished, await EndOf(Start(options, queue, windowRows: 16)));
        AssertEachOnce(queue, expected);
    }

    /// <summary>As a group does: the shards of a streamer that has ended go to one that has not; streamers without any are told to stop.</summary>
    private static async Task HandOnUntilTheEndAsync(List<Run> runs, List<FakeMembership> members, List<HashSet<int>> owners)
    {
        var open = Enumerable.Range(0, runs.Count).ToList();
        while (open.Any(i => owners[i].Count > 0))
        {
            var ended = await Task.WhenAny(open.Where(i => owners[i].Count > 0).Select(i => runs[i].Task)).WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
            var index = open.First(i => runs[i].Task == ended);
            Assert.Equal(SessionEnd.Finished, await runs[index].Task);
            open.Remove(index);
            if (open.Count > 0)
            {
                owners[open[0]].UnionWith(owners[index]);
                members[open[0]].Assign(owners[index]);
            }
            owners[index].Clear();
        }
        foreach (var i in open)
            await runs[i].Stop.CancelAsync();
        await Task.WhenAll(runs.Select(run => run.Task));
    }

    [Fact]
    public async Task A_streamer_without_shards_waits_and_says_so()
    {
        _files.Write(TestInput.WideHeader + Rows(10));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { OnJoin = _ => { }, Time = time };
        var run = Start(Options, queue, time);
        await queue.WaitAsync(q => q.Memberships.Count == 1, Cancelled);
        var said = _log.WaitForAsync(2017, Cancelled);
        await time.PassAsync(TimeSpan.FromSeconds(1), () => said.IsCompleted);
        queue.Memberships[0].Assign(Enumerable.Range(0, 16));
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        Assert.Equal(10, queue.Samples.Count);
    }

    [Fact]
    public async Task A_stop_flushes_what_is_read_waits_for_its_acknowledgement_and_leaves()
    {
        _files.Write(TestInput.WideHeader + Rows(100));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var run = Start(Options with { LoopData = true, StreamInterval = TimeSpan.FromHours(1), BatchSize = 5 }, queue, time);
        await queue.WaitAsync(q => q.Samples.Count == 5, Cancelled);
        await run.Stop.CancelAsync();
        Assert.Equal(SessionEnd.Stopped, await EndOf(run));
        Assert.Equal(5, run.Totals.Acknowledged);
        Assert.True(queue.Memberships[0].Left.IsCompleted);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_ever_for_a_queue_that_does_not_answer()
    {
        _files.Write(TestInput.WideHeader + Rows(100));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        queue.HoldAnswers();
        var run = Start(Options, queue, time);
        await queue.WaitAsync(q => q.Memberships.Count == 1, Cancelled);
        await run.Stop.CancelAsync();
        await time.PassAsync(TimeSpan.FromSeconds(1), () => run.Task.IsCompleted);
        Assert.Equal(SessionEnd.Stopped, await EndOf(run));
    }

    [Fact]
    public async Task Batches_come_at_the_set_interval_and_have_the_set_size()
    {
        _files.Write(TestInput.WideHeader + Rows(25));
        var time = new TimersTime();
        var queue = new FakeQueue { Time = time };
        var interval = TimeSpan.FromSeconds(7); // no other wait is that long
        var run = Start(Options with { StreamInterval = interval, BatchSize = 10 }, queue, time);
        var begin = time.GetUtcNow();
        foreach (var sent in new[] { 10, 20 })
        {
            await queue.WaitAsync(q => q.Samples.Count >= sent, Cancelled);
            // Time moves only while the session waits for it: a batch goes out at one moment.
            await time.IsAwaitedAsync(interval, Cancelled);
            time.Advance(interval - TimeSpan.FromMilliseconds(1));
            Assert.Equal(sent, queue.Samples.Count);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        var bySecond = queue.Batches.GroupBy(batch => batch.At).Select(group => group.Sum(batch => batch.Records)).ToList();
        Assert.Equal([10, 10, 5], bySecond);
        var times = queue.Batches.Select(batch => batch.At).Distinct().ToList();
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= interval));
        Assert.Equal(begin, times[0]);
    }

    [Fact]
    public async Task A_looping_input_begins_again_and_each_GPU_has_rising_times()
    {
        _files.Write(TestInput.WideHeader + Rows(40));
        var queue = new FakeQueue();
        var run = Start(Options with { LoopData = true, TimestampMode = TimestampMode.Now }, queue);
        await queue.WaitAsync(q => q.Samples.Count >= 400, Cancelled);
        await run.Stop.CancelAsync();
        Assert.Equal(SessionEnd.Stopped, await EndOf(run));
        var gpus = queue.Samples.GroupBy(sample => (sample.Identity.HostId, sample.Identity.GpuId)).ToList();
        Assert.All(gpus, gpu =>
        {
            var times = gpu.Select(sample => sample.TimeUnixMs).ToList();
            Assert.Equal(times.Distinct().Order(), times);
        });
        Assert.True(queue.Samples[0].TimeUnixMs > DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task A_restart_of_a_looping_input_goes_on_in_its_pass()
    {
        _files.Write(TestInput.WideHeader + Rows(40));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var options = Options with { LoopData = true, StreamInterval = TimeSpan.FromHours(1), BatchSize = 15 };
        while (queue.Samples.Count <= 80)
        {
            var run = Start(options, queue, time);
            var target = queue.Samples.Count + 1;
            await queue.WaitAsync(q => q.Samples.Count >= target, Cancelled);
            await run.Stop.CancelAsync();
            await EndOf(run);
        }
        // Each shard goes round by itself: its records are those of the file, again and again, with none left out.
        var expected = ByShard(TestInput.ReadAll(options with { LoopData = false }).Samples);
        var sent = ByShard(queue.Samples);
        Assert.True(queue.Samples.Count > 80);
        foreach (var (shard, records) in sent)
            Assert.Equal(Enumerable.Repeat(expected[shard], 10).SelectMany(pass => pass).Take(records.Count), records);
    }

    private static Dictionary<long, List<string>> ByShard(IEnumerable<GpuSample> samples) => samples
        .GroupBy(sample => (long)sample.Identity.PlacementHash % 16)
        .ToDictionary(shard => shard.Key, shard => shard.Select(TestInput.Text).ToList());

    [Fact]
    public async Task A_shard_that_the_queue_has_forgotten_goes_on_after_what_was_acknowledged()
    {
        _files.Write(TestInput.WideHeader + Rows(60));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var run = Start(Options with { StreamInterval = TimeSpan.FromHours(1), BatchSize = 20 }, queue, time);
        await queue.WaitAsync(q => q.Samples.Count == 20, Cancelled);
        queue.Forget();
        queue.Memberships[0].Lose(Enumerable.Range(0, 16));
        queue.Memberships[0].Assign(Enumerable.Range(0, 16));
        await _log.WaitForAsync(2015, Cancelled);
        await time.PassAsync(TimeSpan.FromHours(1), () => run.Task.IsCompleted);
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        AssertEachOnce(queue, TestInput.ReadAll(Options));
    }

    [Fact]
    public async Task A_shard_whose_publish_fails_is_opened_again_and_loses_nothing()
    {
        _files.Write(TestInput.WideHeader + Rows(60));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time, NextFailure = new QueueException(ErrorCode.OutOfOrderSequence, "out of order") };
        var run = Start(Options, queue, time);
        await time.PassAsync(TimeSpan.FromSeconds(1), () => run.Task.IsCompleted);
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        AssertEachOnce(queue, TestInput.ReadAll(Options));
        Assert.Contains(_log.Events, e => e.Id.Id == 2014);
    }

    [Fact]
    public async Task A_publish_that_makes_no_sense_to_the_queue_ends_the_session()
    {
        _files.Write(TestInput.WideHeader + Rows(5));
        var queue = new FakeQueue { NextFailure = new QueueException(ErrorCode.InvalidRequest, "producer_id is too long") };
        var error = await Assert.ThrowsAsync<StartupException>(() => EndOf(Start(Options, queue)));
        Assert.Contains("producer_id is too long", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_membership_that_is_refused_ends_the_session()
    {
        _files.Write(TestInput.WideHeader + Rows(5));
        var queue = new FakeQueue { OnJoin = member => member.Refuse(new QueueException(ErrorCode.InvalidRequest, "the group divides 18 shards")) };
        var error = await Assert.ThrowsAsync<StartupException>(() => EndOf(Start(Options, queue)));
        Assert.Contains("the group divides 18 shards", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F28_A_looping_input_that_is_replaced_ends_the_session_after_its_pass()
    {
        _files.Write(TestInput.WideHeader + Rows(20));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var run = Start(Options with { LoopData = true, StreamInterval = TimeSpan.FromHours(1), BatchSize = 20 }, queue, time);
        await queue.WaitAsync(q => q.Samples.Count == 20, Cancelled);
        File.Move(_files.Write("timestamp,host,gpu,power_w\n2025-07-18T20:42:34Z,other,0,1\n", "new.csv"), _files.File, overwrite: true);
        await time.PassAsync(TimeSpan.FromMilliseconds(100), () => run.Task.IsCompleted);
        Assert.Equal(SessionEnd.InputChanged, await EndOf(run));
    }
}
