namespace Telemetry.Tests.Collector.Commands;

[Collection(nameof(Environment.ExitCode))]
public sealed class RestoreTests : IAsyncDisposable
{
    private readonly CollectorFixture _fixture = new();
    private readonly FakeLog _log = new();

    [Fact]
    public async Task F22_a_backup_made_while_the_collector_ran_is_restored_and_gets_what_the_queue_still_holds_and_a_gap()
    {
        var queue = new FakeQueue(_log);
        var app = await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 10));
        await queue.CommittedAsync(0, 10);
        var backup = _fixture.DatabasePath + ".backup";
        Assert.StartsWith(backup + ": 10 rows, ", (await CollectorRun.OfAsync(_fixture.DatabasePath, "backup", backup)).Text, StringComparison.Ordinal);
        _log.Append(Samples.Run(10, 10));
        _log.Append(Samples.Run(20, 10));
        await queue.CommittedAsync(0, 30);
        await app.StopAsync(TestContext.Current.CancellationToken);
        await app.DisposeAsync();
        foreach (var suffix in new[] { "", "-wal", "-shm" })
            File.Delete(_fixture.DatabasePath + suffix);
        File.Move(backup, _fixture.DatabasePath);
        _log.Expire(20);

        var next = new FakeQueue(_log);
        await _fixture.StartAsync(next);
        next.Assign(0);
        await next.CommittedAsync(0, 30);
        Assert.Equal(Enumerable.Range(0, 10).Concat(Enumerable.Range(20, 10)).Select(i => (double)i), await _fixture.ValuesAsync());
        var gap = Assert.Single((await _fixture.StateAsync()).Gaps);
        Assert.Equal((10L, 20L, "expired"), (gap.FromOffset, gap.ToOffset, gap.Reason));
        Assert.EndsWith("nothing is wrong\n", (await CollectorRun.OfAsync(_fixture.DatabasePath, "verify")).Text, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();
}
