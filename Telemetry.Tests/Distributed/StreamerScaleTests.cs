using Telemetry.Messaging.Records;
using Telemetry.Tests.Messaging;

namespace Telemetry.Tests.Distributed;

/// <summary>Streamers that share a finite input, as real processes.</summary>
[Collection(nameof(Distributed))]
public sealed class StreamerScaleTests
{
    private static readonly string[] Slow = ["--stream-interval", "100ms", "--batch-size", "1"];
    private static readonly string[] Fast = ["--stream-interval", "10ms", "--batch-size", "20"];

    [Fact]
    public async Task F37_From_one_to_ten_streamers_and_back_each_row_is_sent_once()
    {
        await using var run = new ProcessRun(csvRows: 40_000, "--max-messages-per-partition", "1000000");
        var expected = StraightReading.Read(run.CsvFile);
        await run.BrokerAsync();
        // So slow that it still has something left whenever the others are up.
        var first = run.Services.StartStreamer(Slow);
        await run.UntilAsync("the first rows", async () => await QueueLog.AppendedAsync(run.Connection) > 10);
        var more = Enumerable.Range(0, 9).Select(_ => run.Services.StartStreamer(Fast)).ToList();
        await run.UntilAsync("ten owners of shards", async () =>
            await run.GroupAsync(group => group.DividesInput) is { } group && group.Shards.Select(shard => shard.MemberId).Where(member => member.Length > 0).Distinct().Count() == 10);
        await run.UntilAsync("a third of the rows", async () => await QueueLog.AppendedAsync(run.Connection) > expected.Records / 3);

        await run.KillAsync([first, .. more.Take(4)]);
        await run.StopAsync(more.Skip(4).Take(4));
        await run.EndsWellAsync(more[^1]);

        await AssertSentOnceAsync(run, expected);
    }

    [Fact]
    public async Task F37_Streamers_end_only_when_the_part_of_one_that_was_killed_is_sent()
    {
        await using var run = new ProcessRun(csvRows: 20_000, "--max-messages-per-partition", "1000000");
        var expected = StraightReading.Read(run.CsvFile);
        await run.BrokerAsync();
        var victim = run.Services.StartStreamer(Slow);
        var rest = new[] { run.Services.StartStreamer(Fast), run.Services.StartStreamer(Fast) };
        // The part of these two is done long before that of the victim.
        foreach (var streamer in rest)
            await streamer.WaitForLineAsync("waiting until the other streamers have sent the rest", run.Cancellation);
        Assert.True(await QueueLog.AppendedAsync(run.Connection) < expected.Records);
        await run.KillAsync(victim);
        foreach (var streamer in rest)
            await run.EndsWellAsync(streamer);

        await AssertSentOnceAsync(run, expected);
    }

    private static async Task AssertSentOnceAsync(ProcessRun run, StraightReading.Result expected)
    {
        var totals = new Dictionary<(string, string, string), Totals>();
        var last = new Dictionary<(string, string), long>();
        var records = 0L;
        foreach (var (_, batch) in await QueueLog.ReadAsync(run.Connection, "telemetry"))
        {
            foreach (var sample in RecordBatch.Decode(batch.Batch.Span).Samples())
            {
                var (host, gpu) = (sample.Identity.HostId, sample.Identity.GpuId);
                Assert.True(!last.TryGetValue((host, gpu), out var before) || before < sample.TimeUnixMs, $"{host}/{gpu}: {sample.TimeUnixMs} comes after {before}");
                last[(host, gpu)] = sample.TimeUnixMs;
                records++;
                foreach (var (name, value) in sample.Values)
                    totals[(host, gpu, name)] = totals.TryGetValue((host, gpu, name), out var sum) ? sum.Add(value) : Totals.Of(value);
            }
        }
        Assert.Equal(expected.Records, records);
        StoreContents.AssertEqual(expected.Totals, totals);
    }
}
