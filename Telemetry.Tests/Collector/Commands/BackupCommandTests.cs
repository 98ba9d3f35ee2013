using Telemetry.Storage;
using Telemetry.Storage.Files;
using Telemetry.Tests.Storage;

namespace Telemetry.Tests.Collector.Commands;

public sealed class BackupCommandTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    private string Copy => Path.Combine(_fixture.Folder, "copy.db");

    [Fact]
    public async Task A_backup_is_one_file_and_opens_as_a_store_as_it_was()
    {
        _fixture.Write([.. Enumerable.Range(0, 5000).Select(i => StoreFixture.Row(i))]);
        _fixture.Store.Fold(TimeSpan.Zero);
        _fixture.Write(StoreFixture.Row(6000));
        var run = await CollectorRun.OfAsync(_fixture.DatabasePath, "backup", Copy);
        Assert.StartsWith($"{Copy}: 5,001 rows, {new FileInfo(Copy).Length:N0} bytes, ", run.Text, StringComparison.Ordinal);
        _fixture.Write(StoreFixture.Row(6001));
        Assert.Equal(["copy.db"], Directory.GetFiles(_fixture.Folder).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Copy));
        using var restored = TelemetryStore.Open(Copy);
        Assert.Equal(5001, restored.AcquirePartition("telemetry", 0, "test").Position!.Value.NextOffset);
        Assert.EndsWith("nothing is wrong\n", (await CollectorRun.OfAsync(Copy, "verify")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_overwrites_nothing()
    {
        _fixture.Write(StoreFixture.Row(1));
        foreach (var (name, reason) in new[] { ("copy.db", "is there already"), ("copy.db-wal", "is there already"), ("copy.db.partial", "another backup") })
        {
            var path = Path.Combine(_fixture.Folder, name);
            File.WriteAllText(path, "mine");
            Assert.Contains(reason, (await CollectorRun.OfAsync(_fixture.DatabasePath, "backup", Copy)).Refusal(1), StringComparison.Ordinal);
            Assert.Equal("mine", File.ReadAllText(path));
            File.Delete(path);
        }
        Assert.Contains("is a folder", (await CollectorRun.OfAsync(_fixture.DatabasePath, "backup", _fixture.Folder)).Refusal(1), StringComparison.Ordinal);
        Assert.Contains("cannot be written", (await CollectorRun.OfAsync(_fixture.DatabasePath, "backup", Path.Combine(_fixture.DatabasePath, "copy.db"))).Refusal(1), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_file_system_is_refused()
    {
        _fixture.Write(StoreFixture.Row(1));
        var error = Assert.Throws<StoreException>(() => Backup.Run(_fixture.DatabasePath, Copy, _ => "nfs4", TestContext.Current.CancellationToken));
        Assert.Contains("network file system (nfs4)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_that_is_cancelled_leaves_nothing()
    {
        _fixture.Write(StoreFixture.Row(1));
        Assert.Throws<OperationCanceledException>(() => Backup.Run(_fixture.DatabasePath, Copy, new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFiles(_fixture.Folder));
    }

    [Fact]
    public async Task Collectors_write_while_a_backup_is_made_and_each_copy_is_whole()
    {
        using var stop = new CancellationTokenSource();
        _fixture.Write([.. Enumerable.Range(0, 20_000).Select(i => StoreFixture.Row(i))]);
        var writing = Task.Run(
            () =>
            {
                var writes = 0;
                for (; !stop.IsCancellationRequested; writes++)
                {
                    _fixture.Write([.. Enumerable.Range(0, 100).Select(i => StoreFixture.Row(i, "b"))]);
                    if (writes % 10 == 0)
                        _fixture.Store.Fold(TimeSpan.Zero);
                }
                return writes;
            },
            TestContext.Current.CancellationToken);
        for (var i = 0; i < 5; i++)
        {
            var copy = Copy + i;
            var result = Backup.Run(_fixture.DatabasePath, copy, TestContext.Current.CancellationToken);
            Assert.Equal(0, (result.Rows - 20_000) % 100);
            Assert.EndsWith("nothing is wrong\n", (await CollectorRun.OfAsync(copy, "verify")).Text, StringComparison.Ordinal);
            Assert.EndsWith("nothing is wrong\n", (await CollectorRun.OfAsync(_fixture.DatabasePath, "verify")).Text, StringComparison.Ordinal);
        }
        await stop.CancelAsync();
        Assert.True(await writing > 0);
    }

    public void Dispose() => _fixture.Dispose();
}
