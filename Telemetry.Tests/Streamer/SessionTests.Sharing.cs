using Microsoft.Extensions.Time.Testing;
using Telemetry.Streamer.Shards;

namespace Telemetry.Tests.Streamer;

// Several streamers share one input.
public sealed partial class SessionTests
{
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
            if (from == to || moved.Count == 0 || members[from].Left.IsCompleted || members[to].Left.IsCompleted)
                continue;
            if (random.Next(3) == 0)
                members[from].Lose(moved);
            else if (!await members[from].RevokeAsync(moved, TimeSpan.FromSeconds(10), Cancelled))
                continue;
            owners[from].ExceptWith(moved);
            owners[to].UnionWith(moved);
            members[to].Assign(moved);
        }
        // Nobody is assigned anything any more, and none leaves before all is sent.
        Assert.All(await Task.WhenAll(runs.Select(EndOf)), end => Assert.Equal(SessionEnd.Finished, end));
        AssertEachOnce(queue, expected);
    }

    [Fact]
    public async Task F37_A_streamer_whose_part_is_sent_stays_and_takes_over_the_shards_of_one_that_dies()
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(500));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { OnJoin = _ => { }, Time = time };
        var run = Start(Options, queue, time);
        await queue.WaitAsync(q => q.Memberships.Count == 1, Cancelled);
        var member = queue.Memberships[0];
        member.Assign(Enumerable.Range(0, 12));
        var said = _log.WaitForAsync(2006, Cancelled);
        await time.PassAsync(TimeSpan.FromSeconds(1), () => said.IsCompleted);
        Assert.Equal("shards 0,1,2,3,4,5,6,7,8,9,10,11 are sent; waiting until the other streamers have sent the rest", await said);
        Assert.False(run.Task.IsCompleted);
        Assert.InRange(queue.Samples.Count, 1, expected.Samples.Count - 1);

        member.Assign(Enumerable.Range(12, 4));
        Assert.Equal(SessionEnd.Finished, await EndOf(run));
        AssertEachOnce(queue, expected);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_the_other_streamers()
    {
        _files.Write(TestInput.WideHeader + Rows(100));
        var queue = new FakeQueue { OnJoin = member => member.Assign([3]) };
        var run = Start(Options, queue);
        await queue.WaitAsync(q => q.Memberships is [{ FinishedCount: 1 }], Cancelled);
        await run.Stop.CancelAsync();
        Assert.Equal(SessionEnd.Stopped, await EndOf(run));
    }

    [Fact]
    public async Task A_looping_streamer_goes_on_when_others_have_sent_all_of_the_input()
    {
        _files.Write(TestInput.WideHeader + Rows(20));
        var queue = new FakeQueue();
        var run = Start(Options with { LoopData = true }, queue);
        await queue.WaitAsync(q => q.Samples.Count > 0, Cancelled);
        queue.Memberships[0].EndAll();
        var sent = queue.Samples.Count;
        await queue.WaitAsync(q => q.Samples.Count > sent + 100, Cancelled);
        await run.Stop.CancelAsync();
        Assert.Equal(SessionEnd.Stopped, await EndOf(run));
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_streamer_whose_group_is_paused_waits_without_ending_and_goes_on_where_it_was(bool loop)
    {
        var expected = _files.ReadAll(TestInput.WideHeader + Rows(20));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var run = Start(Options with { LoopData = loop, StreamInterval = TimeSpan.FromHours(1), BatchSize = 5 }, queue, time);
        await queue.WaitAsync(q => q.Samples.Count == 5, Cancelled);
        Assert.True(await queue.Memberships[0].RevokeAsync([.. Enumerable.Range(0, 16)], TimeSpan.FromSeconds(10), Cancelled));
        var said = _log.WaitForAsync(2017, Cancelled);
        await time.PassAsync(TimeSpan.FromHours(1), () => said.IsCompleted);
        Assert.False(run.Task.IsCompleted);
        Assert.Equal(5, queue.Samples.Count);

        queue.Memberships[0].Assign(Enumerable.Range(0, 16));
        await time.PassAsync(TimeSpan.FromHours(1), () => queue.Samples.Count >= 20);
        Assert.Equal(expected.Samples.Select(TestInput.Text).Order(), queue.Samples.Take(20).Select(TestInput.Text).Order());
        await run.Stop.CancelAsync();
        await EndOf(run);
    }
}
