using Microsoft.Extensions.Time.Testing;
using Telemetry.Streamer;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>A streamer that has no shards any more, because its group is paused.</summary>
public sealed class PausedSessionTests : IDisposable
{
    private readonly TestInput _files = new();
    private readonly StreamerMetrics _metrics = new();
    private readonly TestLog _log = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _files.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_waits_without_ending_and_goes_on_where_it_was(bool loop)
    {
        var rows = Enumerable.Range(0, 20).Select(i => $"2025-07-18T20:00:{i:00}Z,host{i},{i % 8},u{i},{i},{i}\n");
        var expected = _files.ReadAll(TestInput.WideHeader + string.Concat(rows));
        var time = new FakeTimeProvider();
        var queue = new FakeQueue { Time = time };
        var options = _files.Options with { LoopData = loop, StreamInterval = TimeSpan.FromHours(1), BatchSize = 5 };
        var context = new StreamContext(options, queue, _metrics, new BadRows(_log, _metrics, time), new StreamTotals(), time, _log);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        using var session = new StreamSession(context, Input.Open(options)!, 4);
        var run = session.RunAsync(stop.Token);
        await queue.WaitAsync(q => q.Samples.Count == 5, Cancelled);
        Assert.True(await queue.Memberships[0].RevokeAsync([.. Enumerable.Range(0, 16)], TimeSpan.FromSeconds(10), Cancelled));
        var said = _log.WaitForAsync(2017, Cancelled);
        await time.PassAsync(TimeSpan.FromHours(1), () => said.IsCompleted);
        Assert.False(run.IsCompleted);
        Assert.Equal(5, queue.Samples.Count);

        queue.Memberships[0].Assign(Enumerable.Range(0, 16));
        await time.PassAsync(TimeSpan.FromHours(1), () => queue.Samples.Count >= 20);
        Assert.Equal(expected.Samples.Select(TestInput.Text).Order(), queue.Samples.Take(20).Select(TestInput.Text).Order());
        await stop.CancelAsync();
        await run;
    }
}
