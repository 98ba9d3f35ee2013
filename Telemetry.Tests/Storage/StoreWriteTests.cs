using Microsoft.Data.Sqlite;
using Telemetry.Storage;
using Telemetry.Storage.Queries;

namespace Telemetry.Tests.Storage;

public sealed class StoreWriteTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    private TelemetryStore Store => _fixture.Store;

    [Fact]
    public async Task F13_a_replay_after_the_stores_commit_changes_nothing()
    {
        var lease = Store.AcquirePartition("telemetry", 0, "first");
        var part = StoreFixture.Part(lease, null, _fixture.To(2), StoreFixture.Row(1), StoreFixture.Row(2));
        Assert.Empty(Store.Write([part]).Fenced);
        _fixture.Reopen(); // killed before the queue heard of it; the queue sends the records again

        Assert.Equal([0], Store.Write([part]).Fenced); // by the old owner
        var next = Store.AcquirePartition("telemetry", 0, "second");
        Assert.Equal(_fixture.To(2), next.Position);
        Assert.Equal([0], Store.Write([part with { OwnerEpoch = next.OwnerEpoch }]).Fenced);
        Assert.Equal(2, await RowsAsync());
    }

    [Fact]
    public async Task F14_what_was_not_committed_is_written_when_it_comes_again()
    {
        var lease = Store.AcquirePartition("telemetry", 0, "first");
        using (var blocker = Connect())
        {
            Execute(blocker, "BEGIN IMMEDIATE");
            using var impatient = _fixture.Open(new TelemetryStoreOptions { BusyTimeout = TimeSpan.Zero }); // opens without the lock
            var error = Assert.Throws<StoreException>(() => impatient.Write([StoreFixture.Part(lease, null, _fixture.To(1), StoreFixture.Row(1))]));
            Assert.Equal(StoreFault.Busy, error.Fault);
            Assert.True(error.IsTransient);
        } // killed here
        _fixture.Reopen();
        var next = Store.AcquirePartition("telemetry", 0, "second");
        Assert.Null(next.Position);
        Assert.Empty(Store.Write([StoreFixture.Part(next, null, _fixture.To(1), StoreFixture.Row(1))]).Fenced);
        Assert.Equal(1, await RowsAsync());
    }

    [Fact]
    public async Task F17_of_two_owners_exactly_one_wins_and_the_others_partitions_commit()
    {
        using var second = _fixture.Open();
        var stale = Store.AcquirePartition("telemetry", 0, "first");
        var other = Store.AcquirePartition("telemetry", 1, "first");
        var current = second.AcquirePartition("telemetry", 0, "second");
        Assert.Equal(stale.OwnerEpoch + 1, current.OwnerEpoch);

        var result = Store.Write([
            StoreFixture.Part(stale, null, _fixture.To(1), StoreFixture.Row(1)),
            StoreFixture.Part(other, null, _fixture.To(1), StoreFixture.Row(2, gpu: "1"))]);
        Assert.Equal([0], result.Fenced);
        Assert.Equal(1, result.Rows);
        Assert.Empty(second.Write([StoreFixture.Part(current, null, _fixture.To(1), StoreFixture.Row(1))]).Fenced);
        Assert.Equal(2, await RowsAsync());
    }

    [Fact]
    public async Task A_fenced_part_leaves_neither_letters_nor_gaps()
    {
        var stale = Store.AcquirePartition("telemetry", 0, "first");
        Store.AcquirePartition("telemetry", 0, "second");
        var part = StoreFixture.Part(stale, null, _fixture.To(3)) with
        {
            DeadLetters = [new DeadLetter(Guid.Empty, 1, 0, 1, "undecodable", "", default)],
            Gaps = [new LogGap(Guid.Empty, 1, 0, 3, "expired")],
        };
        Assert.Equal([0], Store.Write([part]).Fenced);
        using var reader = _fixture.Reader();
        var state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Empty(state.Gaps);
        Assert.Empty(state.DeadLetters);
    }

    [Fact]
    public async Task F20_another_log_is_compared_before_its_numbers_and_recorded_as_a_gap()
    {
        _fixture.Write(StoreFixture.Row(1), StoreFixture.Row(2), StoreFixture.Row(3));
        var lease = Store.AcquirePartition("telemetry", 0, "test");
        var (old, begun) = (_fixture.To(3), _fixture.To(1, logEpoch: 2));

        // The new log's offset 3 is not the old one's.
        Assert.Equal([0], Store.Write([StoreFixture.Part(lease, _fixture.To(3, logEpoch: 2), _fixture.To(4, logEpoch: 2), StoreFixture.Row(9))]).Fenced);
        var move = StoreFixture.Part(lease, old, begun, StoreFixture.Row(4));
        Assert.Throws<ArgumentException>(() => Store.Write([move])); // a gap says what was given up
        Assert.Empty(Store.Write([move with { Gaps = [new LogGap(old.TopicId, 1, 3, -1, "log replaced")] }]).Fenced);

        using var reader = _fixture.Reader();
        var state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Equal((4, 2, 1L), (state.Rows, state.Checkpoints[0].LogEpoch, state.Checkpoints[0].NextOffset));
        Assert.Equal((1, 3L, -1L, "log replaced"), (state.Gaps[0].LogEpoch, state.Gaps[0].FromOffset, state.Gaps[0].ToOffset, state.Gaps[0].Reason));
    }

    [Fact]
    public async Task F01_a_later_epoch_of_the_topic_that_goes_on_with_the_numbers_needs_no_gap()
    {
        _fixture.Write(StoreFixture.Row(1), StoreFixture.Row(2), StoreFixture.Row(3));
        var lease = Store.AcquirePartition("telemetry", 0, "test");
        Assert.Empty(Store.Write([StoreFixture.Part(lease, _fixture.To(3), _fixture.To(4, logEpoch: 2), StoreFixture.Row(4))]).Fenced);

        using var reader = _fixture.Reader();
        var state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Equal((4, 2, 4L), (state.Rows, state.Checkpoints[0].LogEpoch, state.Checkpoints[0].NextOffset));
        Assert.Empty(state.Gaps);
    }

    [Fact]
    public void A_checkpoint_never_goes_back_in_its_log()
    {
        var lease = Store.AcquirePartition("telemetry", 0, "test");
        Assert.Throws<ArgumentException>(() => Store.Write([StoreFixture.Part(lease, _fixture.To(5), _fixture.To(4))]));
    }

    [Fact]
    public async Task F18_poison_is_kept_with_its_reason_in_the_same_transaction()
    {
        var lease = Store.AcquirePartition("telemetry", 0, "test");
        var payload = Enumerable.Repeat((byte)7, 100_000).ToArray();
        Store.Write([StoreFixture.Part(lease, null, _fixture.To(12), StoreFixture.Row(1)) with
        {
            DeadLetters = [new DeadLetter(_fixture.To(0).TopicId, 1, 1, 11, "undecodable", "bad magic", payload)],
        }]);
        using var reader = _fixture.Reader();
        var state = await reader.StateAsync(TestContext.Current.CancellationToken);
        Assert.Equal([new DeadLetterCount("undecodable", 11, StoreFixture.Epoch)], state.DeadLetters);
        Assert.Equal("65536|100000|bad magic", Scalar("SELECT length(payload) || '|' || payload_bytes || '|' || detail FROM dead_letter"));
    }

    [Fact]
    public async Task Several_writers_share_the_file()
    {
        const int writers = 4, transactions = 25;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(() =>
        {
            using var store = _fixture.Open(new TelemetryStoreOptions { BusyTimeout = TimeSpan.FromSeconds(30) });
            var lease = store.AcquirePartition("telemetry", w, $"writer {w}");
            LogPosition? position = null;
            for (var i = 0; i < transactions; i++)
            {
                // New identities and new metrics in all of them at once.
                var to = _fixture.To(i + 1);
                var rows = Enumerable.Range(0, 3).Select(r => StoreFixture.Row(i, $"h{i}", $"{r}", w, $"metric_{i % 7}_{w % 2}")).ToArray();
                Assert.Equal(3, store.Write([StoreFixture.Part(lease, position, to, rows)]).Rows);
                position = to;
            }
        })));
        using var reader = _fixture.Reader();
        var cancel = TestContext.Current.CancellationToken;
        var groups = await reader.AggregateAsync(new TimeRange(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue), GroupBy.GpuId, null, null, null, cancel);
        Assert.Equal(transactions * 3, groups.Count);
        Assert.All(groups, g => Assert.Equal((4, 6.0), (g.Rows, g.Metrics.Sum(m => m.Sum))));
        Assert.Equal(14, (await reader.MetricsAsync(cancel)).Count);
        Assert.Equal("75", Scalar("SELECT count(*) FROM gpu"));
        Assert.Equal("300|300", Scalar("SELECT count(*) || '|' || max(row_id) FROM sample"));
        Assert.Equal("300", Scalar("SELECT sum(rows) FROM block"));
    }

    [Fact]
    public async Task Metrics_beyond_the_limit_and_bad_names_are_left_out_and_counted_and_the_rest_is_kept()
    {
        var values = Enumerable.Range(0, 511).ToDictionary(i => $"m{i}", i => (double)i);
        var gpu = StoreFixture.Gpu("a", "0");
        _fixture.Write(new ModelRow(0, gpu, values));
        var result = _fixture.Write(new ModelRow(1, gpu, new()
        {
            ["last"] = 1,
            ["over"] = 2,
            ["m1"] = 3,
            ["Bad\" name"] = 4,
            ["row_id"] = 5,
            ["1st"] = 6,
            ["infinite"] = 7,
            ["m2"] = double.PositiveInfinity,
        }));
        Assert.Equal(
            ["1st metric_name", "Bad\" name metric_name", "infinite too_many_metrics", "m2 not_finite", "over too_many_metrics", "row_id metric_name"],
            result.Refused.Select(r => $"{r.Metric} {r.Reason}").Order(StringComparer.Ordinal));
        Assert.All(result.Refused, r => Assert.Equal(1, r.Values));
        using var reader = _fixture.Reader();
        var page = await reader.RowsAsync(new RowQuery { Limit = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal("last=1 m1=3", NaiveStore.Text(page.Rows[0].Metrics));
        Assert.Equal(511, page.Rows[1].Metrics.Count);
    }

    [Fact]
    public async Task A_full_disk_is_a_clear_error_and_leaves_nothing_partial()
    {
        using var small = _fixture.Open(new TelemetryStoreOptions { PagesMax = 60 });
        var lease = small.AcquirePartition("telemetry", 0, "test");
        var rows = Enumerable.Range(0, 20_000).Select(i => StoreFixture.Row(i, $"host-{i}", metric: "new_metric")).ToArray();
        var error = Assert.Throws<StoreException>(() => small.Write([StoreFixture.Part(lease, null, _fixture.To(20_000), rows)]));
        Assert.Equal((StoreFault.Full, true), (error.Fault, error.IsTransient));
        Assert.Contains("no room", error.Message, StringComparison.Ordinal);
        Assert.Equal("0|0|0|-1", Scalar("SELECT (SELECT count(*) FROM sample) || '|' || (SELECT count(*) FROM gpu) || '|' || (SELECT count(*) FROM latest) || '|' || next_offset FROM checkpoint"));

        // There is room for a few: the same connection goes on, with identities and columns that were rolled back.
        Assert.Equal(10, small.Write([StoreFixture.Part(lease, null, _fixture.To(10), rows[..10])]).Rows);
        using var reader = _fixture.Reader();
        Assert.Equal(10, (await reader.HostsAsync(TestContext.Current.CancellationToken)).Count);
    }

    [Fact]
    public void A_file_that_was_replaced_while_open_is_not_written_any_more()
    {
        _fixture.Write(StoreFixture.Row(1));
        File.Move(_fixture.DatabasePath, _fixture.DatabasePath + ".old");
        var error = Assert.Throws<StoreException>(() => _fixture.Write(StoreFixture.Row(2)));
        Assert.Equal((StoreFault.Moved, false), (error.Fault, error.IsTransient));
    }

    [Fact]
    public void F33_a_reader_that_stays_long_does_not_stop_the_writer_and_the_log_is_emptied_after_it()
    {
        _fixture.Write(StoreFixture.Row(1));
        using (var reader = Connect())
        {
            Execute(reader, "BEGIN; SELECT count(*) FROM sample");
            for (var i = 2; i < 50; i++)
                _fixture.Write(StoreFixture.Row(i));
            Assert.False(Store.EmptyLog(TimeSpan.Zero));
            Assert.True(Store.WalBytes > 0);
        }
        Assert.True(Store.EmptyLog(TimeSpan.FromSeconds(5)));
        Assert.Equal(0, Store.WalBytes);
        Assert.Equal("49", Scalar("SELECT count(*) FROM sample"));
    }

    [Fact]
    public void Large_and_uneven_blocks_become_rows_in_their_order()
    {
        var random = new Random(5);
        var written = new List<ModelRow>();
        foreach (var count in (int[])[1, 63, 64, 65, 150, 1_000])
        {
            var rows = Enumerable.Range(0, count).Select(i => StoreFixture.Row(random.Next(1_000), $"h{random.Next(5)}", $"{random.Next(3)}", random.Next())).ToArray();
            _fixture.Write(rows);
            written.AddRange(rows);
        }
        var all = string.Join(';', written.Select(r => $"{r.Time},{r.Gpu.HostId},{r.Gpu.GpuId},{r.Values["power_w"]}"));
        Assert.Equal(all, Scalar("SELECT group_concat(s.time || ',' || g.host_id || ',' || g.gpu_id || ',' || CAST(s.power_w AS INTEGER), ';' ORDER BY s.row_id) FROM sample s JOIN gpu g ON g.id = s.gpu"));
    }

    [Fact]
    public async Task Part_of_a_block_can_be_written()
    {
        var lease = Store.AcquirePartition("telemetry", 0, "test");
        var block = StoreFixture.Block([StoreFixture.Row(1), StoreFixture.Row(2, "b"), StoreFixture.Row(3, "c")]);
        Store.Write([StoreFixture.Part(lease, null, _fixture.To(3)) with { Rows = [block with { Start = 1, Count = 1 }] }]);
        using var reader = _fixture.Reader();
        Assert.Equal("b", Assert.Single(await reader.HostsAsync(TestContext.Current.CancellationToken)).HostId);
        Assert.Equal("1", Scalar("SELECT count(*) FROM gpu"));
    }

    private async Task<long> RowsAsync()
    {
        using var reader = _fixture.Reader();
        return (await reader.RowsAsync(new RowQuery(), TestContext.Current.CancellationToken)).Rows.Count;
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False");
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private string? Scalar(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose() => _fixture.Dispose();
}
