using Microsoft.Extensions.Time.Testing;
using Telemetry.Streamer;
using Telemetry.Streamer.Shards;
using Telemetry.Streamer.Sources;

namespace Telemetry.Tests.Streamer;

/// <summary>FOLLOW=true: lines are read as they are appended.</summary>
public sealed class FollowTests : IDisposable
{
    private readonly TestInput _files = new();
    private readonly StreamerMetrics _metrics = new();
    private readonly TestLog _log = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeQueue _queue;

    public FollowTests() => _queue = new FakeQueue { Time = _time };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private StreamerOptions Options => _files.Options with { Follow = true };

    public void Dispose()
    {
        _files.Dispose();
        _metrics.Dispose();
    }

    private static string Row(int i) => $"2025-07-18T20:00:{i:00}Z,host{i % 5},0,u,{i},{i}\n";

    private static string Scrape(int second, params string[] metrics) => string.Concat(metrics.SelectMany(
        metric => Enumerable.Range(0, 3).Select(gpu => TestInput.LongRow($"2025-07-18T20:00:{second:00}Z", metric, "host", $"{gpu}", $"{second}"))));

    private (Task<SessionEnd> Task, CancellationTokenSource Stop) Start()
    {
        var context = new StreamContext(Options, _queue, _metrics, new BadRows(_log, _metrics, _time), new StreamTotals(), _time, _log);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var input = Input.Open(Options)!;
        return (Task.Run(async () =>
        {
            using var session = new StreamSession(context, input, 4);
            return await session.RunAsync(stop.Token);
        }, Cancelled), stop);
    }

    /// <summary>Lets time pass until the queue has so many records.</summary>
    private async Task ComeAsync(int records, Task<SessionEnd> running)
    {
        await _time.PassAsync(TimeSpan.FromMilliseconds(100), () => _queue.Samples.Count >= records || running.IsCompleted);
        Assert.Equal(records, _queue.Samples.Count);
    }

    private static async Task StopAsync((Task<SessionEnd> Task, CancellationTokenSource Stop) run)
    {
        await run.Stop.CancelAsync();
        Assert.Equal(SessionEnd.Stopped, await run.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancelled));
    }

    [Fact]
    public async Task F28_A_line_is_not_parsed_before_its_line_break()
    {
        _files.Write(TestInput.WideHeader + Row(1) + "2025-07-18T20:00:02Z,host2,0,u,1");
        var run = Start();
        await ComeAsync(1, run.Task);
        _files.Append("23,4");
        _files.Append("5\n" + Row(3));
        await ComeAsync(3, run.Task);
        await StopAsync(run);
        Assert.Contains(_queue.Samples, sample => sample.Identity.HostId == "host2" && sample.Values.Any(value => value.Value == 45));
        // 123 % is out of range, and could only be read as 1 by half a line.
        Assert.Contains(_log.Events, e => e.Id.Id == 2021 && e.Text.Contains("out_of_range", StringComparison.Ordinal));
    }

    [Fact]
    public async Task F28_A_quoted_line_break_that_is_not_closed_yet_is_waited_for()
    {
        _files.Write(TestInput.WideHeader + Row(1) + "2025-07-18T20:00:02Z,host2,0,\"u\n");
        var run = Start();
        await ComeAsync(1, run.Task);
        _files.Append("v\",1,2\n");
        await ComeAsync(2, run.Task);
        await StopAsync(run);
        Assert.Contains(_queue.Samples, sample => sample.Identity.Uuid == "u v");
        Assert.DoesNotContain(_log.Events, e => e.Id.Id == 2020);
    }

    [Fact]
    public async Task F28_A_rotated_file_is_read_to_its_end_and_then_the_session_ends()
    {
        _files.Write(TestInput.WideHeader + Row(1));
        var run = Start();
        await ComeAsync(1, run.Task);
        _files.Append(Row(2) + Row(3));
        File.Move(_files.File, Path.Combine(_files.Folder, "old"));
        _files.Write(TestInput.WideHeader + Row(4));
        await _time.PassAsync(TimeSpan.FromMilliseconds(100), () => run.Task.IsCompleted);
        Assert.Equal(SessionEnd.InputChanged, await run.Task);
        Assert.Equal(3, _queue.Samples.Count);
    }

    [Fact]
    public async Task F28_A_file_that_is_cut_in_place_is_read_from_its_first_row()
    {
        _files.Write(TestInput.WideHeader + Row(1) + Row(2) + Row(3));
        var run = Start();
        await ComeAsync(3, run.Task);
        _files.Write(TestInput.WideHeader + Row(1));
        await ComeAsync(4, run.Task);
        _files.Append(Row(5));
        await ComeAsync(5, run.Task);
        await StopAsync(run);
        Assert.Contains(_log.Events, e => e.Id.Id == 2024);
    }

    [Fact]
    public async Task The_rows_of_a_scrape_become_records_soon_after_they_were_written()
    {
        _files.Write(TestInput.LongHeader + Scrape(1, "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_TEMP"));
        var run = Start();
        var begin = _time.GetUtcNow();
        await ComeAsync(3, run.Task);
        Assert.All(_queue.Samples, sample => Assert.Equal(2, sample.Values.Count));
        Assert.True(_time.GetUtcNow() - begin >= TimeSpan.FromSeconds(1));
        _files.Append(Scrape(2, "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE"));
        await ComeAsync(6, run.Task);
        Assert.All(_queue.Samples.Skip(3), sample => Assert.Equal(3, sample.Values.Count));
        await StopAsync(run);
    }

    [Fact]
    public async Task F29_A_restart_within_a_window_that_time_has_ended_sends_the_rest_of_it_and_nothing_twice()
    {
        // The first streamer ends a window because nothing came, and dies when one of its batches is acknowledged.
        _files.Write(TestInput.LongHeader + Scrape(1, "DCGM_FI_DEV_GPU_UTIL"));
        var run = Start();
        await ComeAsync(3, run.Task);
        await StopAsync(run);
        // The rest of the scrape comes late, with the same times: as records of their own, or the values would be lost.
        _files.Append(Scrape(1, "DCGM_FI_DEV_GPU_TEMP"));
        run = Start();
        await ComeAsync(6, run.Task);
        await StopAsync(run);
        Assert.Equal(["gpu_utilization", "temperature_c"], _queue.Samples.Select(sample => Assert.Single(sample.Values).Name).Distinct().Order());
    }

    [Fact]
    public void A_decided_window_end_is_kept_although_the_file_has_grown()
    {
        _files.Write(TestInput.LongHeader + Scrape(1, "DCGM_FI_DEV_GPU_UTIL"));
        var shard = Input.Open(Options)!;
        var (records, position) = ReadSome(default, 1, seal: true);
        Assert.Equal(1, records);
        Assert.True(SourcePosition.Decode(position) is { WindowEnd: > 0, RecordsSent: 1 });
        _files.Append(Scrape(1, "DCGM_FI_DEV_GPU_TEMP"));
        Assert.Equal(shard.Files[0].Identity, Input.Open(Options)!.Files[0].Identity);
        // Two records are left of the window, and three are of the next one.
        (records, _) = ReadSome(position, 10, seal: true);
        Assert.Equal(5, records);
    }

    private (int Records, byte[] Position) ReadSome(byte[]? position, int recordsMax, bool seal)
    {
        var badRows = new BadRows(_log, _metrics, _time);
        using var reader = new InputReader(Input.Open(Options)!, ReadOptions.Of(Options, 1), badRows, _time, _log);
        reader.SetShards([reader.Resume(0, position, 0)]);
        var step = reader.Advance(recordsMax, CancellationToken.None);
        if (step == ReadStep.LiveEnd && seal && reader.SealWindows())
            reader.Advance(reader.Left, CancellationToken.None);
        var batch = reader.Shards.Single().TakeBatch(null);
        return (batch.Records, batch.Position.Encode());
    }
}
