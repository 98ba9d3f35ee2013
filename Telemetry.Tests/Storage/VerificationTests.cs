using Microsoft.Data.Sqlite;
using Telemetry.Storage.Verifying;

namespace Telemetry.Tests.Storage;

public sealed class VerificationTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    public VerificationTests()
    {
        var random = new Random(3);
        for (var round = 0; round < 6; round++)
        {
            _fixture.Write([.. Enumerable.Range(0, 400).Select(i => StoreFixture.Row(
                random.Next(-7200, 3600), i % 2 == 0 ? "a" : "b", value: random.NextDouble() - 0.5, metric: i % 3 == 0 ? "temperature_c" : "power_w"))]);
            _fixture.Store.Fold(TimeSpan.Zero);
            if (round is 3 or 4)
                Merge();
        }
        _fixture.Write(StoreFixture.Row(5000, "c"), StoreFixture.Row(4000, "c"), StoreFixture.Row(100, "d") with { Values = [] });
    }

    [Fact]
    public void A_sound_store_has_no_findings_also_after_retention()
    {
        Assert.Empty(Findings());
        _fixture.Time.Advance(TimeSpan.FromHours(5));
        Merge();
        Assert.Empty(Findings());
        var before = _fixture.Time.GetUtcNow();
        while (_fixture.Store.Retain(new(Raw: before, History: before.AddHours(-6), Rollup: before.AddDays(-1))).HasMore)
        {
        }
        Assert.Empty(Findings());
    }

    [Theory]
    [InlineData("UPDATE block SET rows = rows - 1 WHERE first_row = (SELECT max(first_row) FROM block)", "zone map")]
    [InlineData("UPDATE block SET max_time = max_time - 1", "zone map")]
    [InlineData("DELETE FROM sample WHERE row_id = 7", "zone map")]
    [InlineData("UPDATE latest SET row_id = row_id - 1", "latest")]
    [InlineData("UPDATE latest SET time = time - 1", "latest")]
    [InlineData("DELETE FROM latest WHERE gpu = 2", "latest: series 2")]
    [InlineData("UPDATE latest SET last_row = 1", "latest")]
    [InlineData("UPDATE checkpoint SET next_offset = -2", "checkpoint telemetry/0")]
    [InlineData("INSERT INTO gap SELECT 1, topic, partition, topic_id, log_epoch, next_offset, next_offset + 5, '', 0 FROM checkpoint", "gap 1, telemetry/0: ends at offset")]
    [InlineData("INSERT INTO gap SELECT 1, topic, partition, topic_id, log_epoch, 9, 5, '', 0 FROM checkpoint", "gap 1")]
    [InlineData("INSERT INTO gap SELECT 1, topic, partition, topic_id, log_epoch, 1, 5, '', 0 FROM checkpoint UNION ALL SELECT 2, topic, partition, topic_id, log_epoch, 4, 6, '', 0 FROM checkpoint", "overlap")]
    [InlineData("INSERT INTO dead_letter VALUES (1, 'telemetry', 9, 'x', 1, 0, 1, '', '', NULL, 0, 0)", "no checkpoint")]
    [InlineData("UPDATE history SET rows = rows + 1", "history: it says")]
    [InlineData("UPDATE history SET next_row = 99999", "history: rows before")]
    [InlineData("UPDATE pack SET chunks = chunks + 1 WHERE id = (SELECT max(id) FROM pack)", "pack")]
    [InlineData("INSERT INTO pack VALUES (999, 1)", "pack 999 has no chunks")]
    [InlineData("DELETE FROM pack_data WHERE id = (SELECT max(id) FROM pack)", "pack")]
    [InlineData("UPDATE pack_data SET data = CAST(substr(data, 1, 40) || x'00' || substr(data, 42) AS BLOB)", "checksum")]
    [InlineData("UPDATE chunk SET rows = rows + 1 WHERE level = 0", "where the table says")]
    [InlineData("UPDATE chunk SET last_time = last_time + 1 WHERE level = 0", "where the table says")]
    [InlineData("DELETE FROM gpu_hour WHERE gpu = 1", "has records and no roll-up")]
    [InlineData("UPDATE gpu_hour SET rows = rows - 1", "its roll-up says")]
    [InlineData("UPDATE gpu_hour SET totals = (SELECT o.totals FROM gpu_hour AS o WHERE o.hour = gpu_hour.hour AND o.gpu <> gpu_hour.gpu)", "recounted")]
    [InlineData("UPDATE chunk SET (pack, offset, bytes) = (SELECT pack, offset, bytes FROM chunk AS o WHERE o.level = 1 AND o.hour = chunk.hour AND o.gpu <> chunk.gpu) WHERE level = 1", "its minute")]
    public void What_does_not_agree_is_found(string damage, string finding)
    {
        _fixture.Store.EmptyLog(TimeSpan.FromSeconds(5));
        using (var connection = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = damage;
            Assert.True(command.ExecuteNonQuery() > 0);
        }
        Assert.Contains(Findings(), f => f.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public void A_page_that_is_overwritten_is_found()
    {
        long page;
        using (var connection = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT rootpage FROM sqlite_schema WHERE name = 'sample'";
            page = (long)command.ExecuteScalar()!;
        }
        Assert.True(_fixture.Store.EmptyLog(TimeSpan.FromSeconds(5)));
        _fixture.Store.Dispose();
        using (var file = File.OpenWrite(_fixture.DatabasePath))
        {
            file.Position = (page - 1) * 8192;
            file.Write(new byte[8192]);
        }
        Assert.NotEmpty(Findings());
    }

    [Fact]
    public async Task The_command_says_what_it_looked_at_and_ends_with_1_when_something_is_wrong()
    {
        var sound = await Collector.Commands.CollectorRun.OfAsync(_fixture.DatabasePath, "verify");
        Assert.Equal(6, sound.Text.TrimEnd('\n').Split('\n').Length);
        Assert.Contains("2,403 plain rows in ", sound.Text, StringComparison.Ordinal);
        Assert.Contains("2,400 records in ", sound.Text, StringComparison.Ordinal);
        Assert.EndsWith("nothing is wrong\n", sound.Text, StringComparison.Ordinal);
        using (var connection = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE sample SET time = time + 100000000 WHERE row_id > 100";
            command.ExecuteNonQuery();
        }
        var damaged = await Collector.Commands.CollectorRun.OfAsync(_fixture.DatabasePath, "verify");
        Assert.Equal((1, ""), (damaged.Code, damaged.Error));
        Assert.Contains("WRONG rows, zone map and latest", damaged.Out, StringComparison.Ordinal);
    }

    private List<string> Findings() => [.. Verification.Run(_fixture.DatabasePath, TestContext.Current.CancellationToken).SelectMany(check => check.Findings)];

    private void Merge()
    {
        _fixture.Time.Advance(TimeSpan.FromHours(1));
        while (_fixture.Store.Merge(TimeSpan.Zero).HasMore)
        {
        }
    }

    public void Dispose() => _fixture.Dispose();
}
