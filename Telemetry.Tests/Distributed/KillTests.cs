using Telemetry.Benchmarks.Processes;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Distributed;

/// <summary>kill -9 and SIGSTOP of real processes under load: what arrives is exactly what a straight reading of the file says.</summary>
[Collection(nameof(Distributed))]
public sealed class KillTests
{
    [Fact]
    public async Task F01_F10_F14_F29_Everything_is_killed_again_and_again_and_every_row_arrives_once()
    {
        var chance = new Chance(rounds: 3);
        await using var run = new ProcessRun(csvRows: 60_000);
        var expected = StraightReading.Read(run.CsvFile);
        for (var round = 1; round <= chance.Rounds; round++)
        {
            var all = await StartAsync(run);
            var target = expected.Records * (round - chance.Random.NextDouble()) / (chance.Rounds + 1);
            await run.UntilAsync($"{target} rows", async () => await run.RowsAsync() >= target);
            chance.Random.Shuffle(all);
            await run.KillAsync(all);
            Assert.True(await run.RowsAsync() < expected.Records, "everything was done before the kill");
        }
        var last = await StartAsync(run);
        foreach (var streamer in last.Where(service => service.Name == "Streamer"))
            await run.EndsWellAsync(streamer);
        await run.UntilAsync("all rows", async () => await run.RowsAsync() >= expected.Records);
        await run.StopAsync(last.Where(service => service.Name == "Collector"));

        await StoreContents.AssertEachOnceAsync(run.Services.DatabasePath, expected);
    }

    [Fact]
    public async Task F13_F14_F30_F31_Collectors_are_killed_again_and_again_while_they_write_and_fold_and_every_row_is_there_once()
    {
        var chance = new Chance(rounds: 5);
        await using var run = new ProcessRun(csvRows: 12_000 * (chance.Rounds + 1));
        var expected = StraightReading.Read(run.CsvFile);
        var broker = await run.BrokerAsync();
        var streamer = run.Services.StartStreamer("--batch-size", "100", "--stream-interval", "1ms");
        for (var round = 1; round <= chance.Rounds; round++)
        {
            ServiceProcess[] collectors = [StartFolding(run), StartFolding(run)];
            var target = expected.Records * (round - chance.Random.NextDouble()) / (chance.Rounds + 1);
            await run.UntilAsync($"{target} rows", async () => await run.RowsAsync() >= target);
            await run.KillAsync(collectors);
        }
        var last = StartFolding(run);
        await run.EndsWellAsync(streamer);
        await run.UntilAsync("all rows", async () => await run.RowsAsync() >= expected.Records);
        await run.StopAsync(last, broker);
        await StoreContents.AssertEachOnceAsync(run.Services.DatabasePath, expected);
    }

    private static ServiceProcess StartFolding(ProcessRun run) => run.Services.StartCollector("--fold-interval", "100ms");

    [Fact]
    public async Task F15_A_consumer_that_stands_still_past_its_session_is_fenced_and_another_takes_over()
    {
        await using var run = new ProcessRun(csvRows: 60_000);
        var expected = StraightReading.Read(run.CsvFile);
        await run.BrokerAsync();
        ServiceProcess[] collectors = [run.Services.StartCollector(), run.Services.StartCollector()];
        await run.UntilAsync("two members with two partitions each", async () => await CollectorsAsync(run) is { Count: 2 } owners && owners.Values.All(owned => owned == 2));
        var streamer = run.Services.StartStreamer();
        await run.UntilAsync("the first rows", async () => await run.RowsAsync() > expected.Records / 10);

        collectors[0].Send(Signal.Stop);
        var before = (await GroupAsync(run))!;
        var stopped = before.Members.Single(member => member.Client.EndsWith($"/{collectors[0].Id}", StringComparison.Ordinal)).MemberId;
        await run.UntilAsync("a single owner", async () => await CollectorsAsync(run) is { Count: 1 } owners && !owners.ContainsKey(stopped) && owners.Values.Single() == 4);
        // What it would say if it went on in the middle of a commit.
        var late = new CommitRequest { Group = before.Group, MemberId = stopped };
        late.Offsets.AddRange(before.Shards.Where(shard => shard.MemberId == stopped).Select(shard => new OffsetCommit { Shard = shard.Shard, Offset = 1, Generation = before.Generation }));
        var answer = await run.Connection.Queue.CommitAsync(late, cancellationToken: run.Cancellation);
        Assert.Equal(2, answer.Results.Count);
        Assert.All(answer.Results, result => Assert.Equal(ErrorCode.UnknownMember, result.Error));

        collectors[0].Send(Signal.Continue);
        await run.EndsWellAsync(streamer);
        await run.UntilAsync("two members again", async () => await CollectorsAsync(run) is { Count: 2 });
        await run.UntilAsync("all rows", async () => await run.RowsAsync() >= expected.Records);
        await run.StopAsync(collectors);

        await StoreContents.AssertEachOnceAsync(run.Services.DatabasePath, expected);
    }

    /// <summary>A broker, two collectors and two streamers that take small steps.</summary>
    private static async Task<ServiceProcess[]> StartAsync(ProcessRun run)
    {
        string[] steps = ["--stream-interval", "1ms", "--batch-size", "100"];
        return
        [
            await run.BrokerAsync(),
            run.Services.StartCollector(),
            run.Services.StartCollector(),
            run.Services.StartStreamer(steps),
            run.Services.StartStreamer(steps),
        ];
    }

    private static Task<GroupDescription?> GroupAsync(ProcessRun run) => run.GroupAsync(group => !group.DividesInput);

    /// <summary>How many partitions each member has that has any.</summary>
    private static async Task<Dictionary<string, int>> CollectorsAsync(ProcessRun run) =>
        await GroupAsync(run) is { } group
            ? group.Shards.Where(shard => shard.MemberId.Length > 0).GroupBy(shard => shard.MemberId).ToDictionary(owned => owned.Key, owned => owned.Count())
            : [];
}
