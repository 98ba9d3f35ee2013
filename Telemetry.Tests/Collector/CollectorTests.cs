using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Telemetry.Messaging.Records;
using Telemetry.Tests.Messaging;
using Telemetry.Tests.Streamer;

namespace Telemetry.Tests.Collector;

[Collection(nameof(Environment.ExitCode))]
public sealed class CollectorTests : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly CollectorFixture _fixture = new();
    private readonly FakeLog _log = new();
    private readonly FakeLog _other = new();

    [Fact]
    public async Task Records_of_all_partitions_come_into_the_store_in_their_order()
    {
        var queue = new FakeQueue(_log, _other);
        await _fixture.StartAsync(queue);
        queue.Assign(0, 1);
        for (var i = 0; i < 20; i++)
        {
            _log.Append(Samples.Run(i * 10, 10));
            _other.Append(Samples.Run(i * 7, 7, "b"));
        }
        await queue.CommittedAsync(0, 200);
        await queue.CommittedAsync(1, 140);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (double)i), await _fixture.ValuesAsync());
        Assert.Equal(Enumerable.Range(0, 140).Select(i => (double)i), await _fixture.ValuesAsync("b"));
    }

    [Fact]
    public async Task F13_killed_between_the_stores_commit_and_the_queues_the_replay_changes_nothing()
    {
        var first = new FakeQueue(_log) { CommitsFail = true };
        _log.Append(Samples.Run(0, 30));
        var killed = await _fixture.StartAsync(first);
        first.Assign(0);
        await first.CommittedAsync(0, 30); // was tried after the store's commit, and did not arrive
        await CollectorFixture.KillAsync(killed);

        _log.Append(Samples.Run(30, 5));
        var second = new FakeQueue(_log);
        await _fixture.StartAsync(second);
        second.Assign(0);
        await second.CommittedAsync(0, 35);
        Assert.Equal(Enumerable.Range(0, 35).Select(i => (double)i), await _fixture.ValuesAsync());
    }

    [Fact]
    public async Task F13_the_next_owner_tells_the_queue_what_the_store_has_also_when_nothing_new_comes()
    {
        var first = new FakeQueue(_log) { CommitsFail = true };
        _log.Append(Samples.Run(0, 30));
        var killed = await _fixture.StartAsync(first);
        first.Assign(0);
        await first.CommittedAsync(0, 30);
        await CollectorFixture.KillAsync(killed);

        // A full partition: publishers wait until the queue knows that these were read, so nothing new comes before that.
        var second = new FakeQueue(_log);
        await _fixture.StartAsync(second);
        second.Assign(0);
        await second.CommittedAsync(0, 30);
        Assert.Equal(30, (await _fixture.ValuesAsync()).Count);
    }

    [Fact]
    public async Task A_commit_that_failed_is_sent_again()
    {
        var queue = new FakeQueue(_log) { CommitsFail = true };
        await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 10));
        await queue.CommittedAsync(0, 10); // was tried, and did not arrive
        queue.Mend();
        await queue.CommittedAsync(0, 10);
    }

    [Fact]
    public async Task F14_killed_before_the_stores_commit_the_records_come_again()
    {
        var first = new FakeQueue(_log);
        _log.Append(Samples.Run(0, 30));
        var killed = await _fixture.StartAsync(first, o => o with { PollInterval = TimeSpan.FromMinutes(1), BatchSize = 1_000 });
        first.Assign(0);
        await CollectorFixture.KillAsync(killed);
        Assert.Empty(await _fixture.ValuesAsync());

        var second = new FakeQueue(_log);
        await _fixture.StartAsync(second);
        second.Assign(0);
        await second.CommittedAsync(0, 30);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (double)i), await _fixture.ValuesAsync());
    }

    [Fact]
    public async Task F17_two_members_that_believe_to_own_a_partition_write_every_record_once()
    {
        var (first, second) = (new FakeQueue(_log), new FakeQueue(_log));
        await _fixture.StartAsync(first);
        first.Assign(0);
        _log.Append(Samples.Run(0, 10));
        await first.CommittedAsync(0, 10);
        await _fixture.StartAsync(second);
        second.Assign(0); // and the first is not told
        for (var i = 1; i < 20; i++)
            _log.Append(Samples.Run(i * 10, 10));
        // Fenced each time, either takes the partition again while its group says that it owns it: exactly one wins at a time.
        await Task.WhenAny(first.CommittedAsync(0, 200), second.CommittedAsync(0, 200));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (double)i), await _fixture.ValuesAsync());
    }

    [Fact]
    public async Task F15_a_collector_that_lost_its_partition_drops_its_buffer()
    {
        var time = new TimersTime();
        var (paused, heir) = (new FakeQueue(_log), new FakeQueue(_log));
        var app = await _fixture.StartAsync(paused, o => o with { BatchSize = 1_000, PollInterval = TimeSpan.FromSeconds(50) }, time);
        paused.Assign(0);
        _log.Append(Samples.Run(0, 10)); // waits in the first one's buffer
        await time.IsAwaitedAsync(TimeSpan.FromSeconds(50), TestContext.Current.CancellationToken);
        await _fixture.StartAsync(heir);
        heir.Assign(0);
        await heir.CommittedAsync(0, 10);

        time.Advance(TimeSpan.FromMinutes(2)); // it wakes and writes: refused
        await WaitForMetricAsync(app, "telemetry_pipeline_collector_fenced_commits_total", 1); // the heir's buffer shows under the same name
        await WaitForMetricAsync(app, "telemetry_pipeline_collector_buffered_records", 0);
        paused.Lose(0);
        _log.Append(Samples.Run(10, 5));
        await heir.CommittedAsync(0, 15);
        Assert.Equal(15, (await _fixture.StateAsync()).Rows);
    }

    [Fact]
    public async Task F18_poison_goes_to_the_dead_letters_and_the_partition_goes_on()
    {
        var queue = new FakeQueue(_log);
        await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 3));
        _log.Append(new byte[] { 1, 2, 3 }, 7);
        _log.Append(FakeLog.Encode(Samples.Run(0, 4)), 5); // not as many as the queue counted
        _log.Append(Samples.Poisoned(Samples.Run(3, 4, "b"), record: 2), 4);
        _log.Append(Samples.Run(3, 2));
        await queue.CommittedAsync(0, 21);

        Assert.Equal([0, 1, 2, 3, 4], await _fixture.ValuesAsync());
        Assert.Equal([1 / 3.0, 1 / 4.0, 1 / 6.0], await _fixture.ValuesAsync("b"));
        var state = await _fixture.StateAsync();
        Assert.Equal(["not_finite 1", "record_count 5", "undecodable 7"], state.DeadLetters.Select(d => $"{d.Reason} {d.Records}"));
        using var letters = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False");
        letters.Open();
        using var command = letters.CreateCommand();
        command.CommandText = "SELECT group_concat(offset || ':' || hex(payload) || ':' || log_epoch, ' ') FROM dead_letter WHERE reason = 'undecodable'";
        Assert.Equal("3:010203:1", command.ExecuteScalar());
    }

    [Fact]
    public async Task F20_a_new_log_is_read_from_its_start_and_the_gap_recorded()
    {
        var queue = new FakeQueue(_log);
        await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 10));
        await queue.CommittedAsync(0, 10);
        var old = _log.Identity;
        queue.ForgetCommits();
        _log.Replace();
        _log.Append(Samples.Run(100, 4)); // its numbers are lower than those that the store has
        await queue.CommittedAsync(0, 4);

        Assert.Equal([100, 101, 102, 103], (await _fixture.ValuesAsync()).Skip(10));
        var state = await _fixture.StateAsync();
        Assert.Equal((_log.Identity.LogEpoch, 4L), (state.Checkpoints[0].LogEpoch, state.Checkpoints[0].NextOffset));
        var gap = Assert.Single(state.Gaps);
        Assert.Equal((old.TopicId, old.LogEpoch, 10L, -1L), (gap.TopicId, gap.LogEpoch, gap.FromOffset, gap.ToOffset));
    }

    [Fact]
    public async Task F23_the_stores_offset_rules_not_the_groups()
    {
        var queue = new FakeQueue(_log); // says that the group has committed 1,000,000
        await _fixture.StartAsync(queue);
        _log.Append(Samples.Run(0, 10));
        queue.Assign(0);
        await queue.CommittedAsync(0, 10);
        Assert.Equal(10, (await _fixture.ValuesAsync()).Count);
    }

    [Fact]
    public async Task F27_a_stop_flushes_commits_and_leaves()
    {
        var queue = new FakeQueue(_log);
        var app = await _fixture.StartAsync(queue, o => o with { PollInterval = TimeSpan.FromMinutes(1), BatchSize = 1_000 });
        queue.Assign(0);
        _log.Append(Samples.Run(0, 10));
        await WaitForMetricAsync(app, "telemetry_pipeline_collector_buffered_records", 10);
        await app.StopAsync(TestContext.Current.CancellationToken);
        await queue.CommittedAsync(0, 10);
        Assert.True(queue.Left);
        Assert.Equal(10, (await _fixture.ValuesAsync()).Count);
    }

    [Fact]
    public async Task A_revoked_partition_is_flushed_and_committed_before_it_is_given_back()
    {
        var queue = new FakeQueue(_log, _other);
        var app = await _fixture.StartAsync(queue, o => o with { PollInterval = TimeSpan.FromMinutes(1), BatchSize = 1_000 });
        queue.Assign(0, 1);
        _log.Append(Samples.Run(0, 10));
        await WaitForMetricAsync(app, "telemetry_pipeline_collector_buffered_records", 10);
        queue.Revoke(Deadline, 0);
        await queue.ReleasedAsync(0);
        await queue.CommittedAsync(0, 10);
        Assert.Equal(10, (await _fixture.ValuesAsync()).Count);

        _log.Append(Samples.Run(10, 5)); // no longer read
        _other.Append(Samples.Run(0, 3, "b"));
        await WaitForMetricAsync(app, "telemetry_pipeline_collector_buffered_records", 3);
        queue.Revoke(Deadline, 1);
        await queue.ReleasedAsync(1);
        Assert.Equal((10, 3), ((await _fixture.ValuesAsync()).Count, (await _fixture.ValuesAsync("b")).Count));
    }

    [Fact]
    public async Task A_partial_batch_is_written_when_it_has_waited_long_enough()
    {
        var time = new TimersTime();
        var queue = new FakeQueue(_log);
        await _fixture.StartAsync(queue, o => o with { BatchSize = 3, PollInterval = TimeSpan.FromSeconds(50) }, time);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 2));
        await time.IsAwaitedAsync(TimeSpan.FromSeconds(50), TestContext.Current.CancellationToken); // the writer has them
        time.Advance(TimeSpan.FromSeconds(49));
        Assert.Empty(await _fixture.ValuesAsync());
        time.Advance(TimeSpan.FromSeconds(2));
        await queue.CommittedAsync(0, 2);

        _log.Append(Samples.Run(2, 3)); // enough records: without any wait
        await queue.CommittedAsync(0, 5);
    }

    [Fact]
    public async Task A_locked_store_is_unhealthy_and_nothing_is_lost()
    {
        var queue = new FakeQueue(_log);
        var app = await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 5));
        await queue.CommittedAsync(0, 5);
        Assert.Equal("200 Healthy", await CollectorFixture.GetAsync(app, "/health"));
        using (var blocker = new SqliteConnection($"Data Source={_fixture.DatabasePath};Pooling=False"))
        {
            blocker.Open();
            using var command = blocker.CreateCommand();
            command.CommandText = "BEGIN IMMEDIATE";
            command.ExecuteNonQuery();
            _log.Append(Samples.Run(5, 5));
            await WaitForAsync(app, "/health", text => text == "503 Unhealthy");
        }
        await queue.CommittedAsync(0, 10);
        Assert.Equal("200 Healthy", await CollectorFixture.GetAsync(app, "/health"));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (double)i), await _fixture.ValuesAsync());
    }

    [Fact]
    public async Task A_store_that_is_gone_stops_the_process_with_a_code_and_never_in_silence()
    {
        var queue = new FakeQueue(_log);
        var app = await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(Samples.Run(0, 5));
        await queue.CommittedAsync(0, 5);
        File.Move(_fixture.DatabasePath, _fixture.DatabasePath + ".moved");
        Assert.Equal("503 Unhealthy", await CollectorFixture.GetAsync(app, "/health"));
        try
        {
            _log.Append(Samples.Run(5, 5));
            var stopping = new TaskCompletionSource();
            app.Lifetime.ApplicationStopping.Register(stopping.SetResult);
            await Wait.For(stopping.Task);
            Assert.Equal(1, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = 0; // the test run's own
        }
    }

    [Fact]
    public async Task Metrics_have_their_exact_names()
    {
        var queue = new FakeQueue(_log);
        var app = await _fixture.StartAsync(queue, o => o with { WorkerCount = 3 });
        queue.Assign(0);
        _log.Append(Samples.Run(0, 5));
        _log.Append(new byte[] { 0 }, 1);
        await queue.CommittedAsync(0, 6);
        var text = Sample(await CollectorFixture.GetAsync(app, "/metrics"));
        Assert.Contains("\ntelemetry_pipeline_collector_messages_processed_total 5", text, StringComparison.Ordinal);
        Assert.Contains("\ntelemetry_pipeline_collector_errors_total{reason=\"undecodable\"} 1", text, StringComparison.Ordinal);
        Assert.Contains("\ntelemetry_pipeline_collector_active_workers 3", text, StringComparison.Ordinal);
        Assert.Contains("\ntelemetry_pipeline_collector_freshness_seconds_count 1", text, StringComparison.Ordinal);
        Assert.Matches("\ntelemetry_pipeline_collector_database_size_bytes [1-9]", text);
    }

    [Fact]
    public async Task A_batch_is_traced_as_the_child_of_the_span_that_made_it()
    {
        var spans = Channel();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Telemetry.Collector",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => spans.Writer.TryWrite(span),
        };
        ActivitySource.AddActivityListener(listener);
        var parent = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var builder = new RecordBatchBuilder();
        builder.Add(Samples.Of(1));
        var queue = new FakeQueue(_log);
        await _fixture.StartAsync(queue);
        queue.Assign(0);
        _log.Append(builder.Build(parent), 1);
        await foreach (var span in spans.Reader.ReadAllAsync(Wait.Token))
        {
            if (span.TraceId != parent.TraceId)
                continue; // another test's
            Assert.Equal((parent.SpanId, "store batch"), (span.ParentSpanId, span.OperationName));
            break;
        }
    }

    private static System.Threading.Channels.Channel<Activity> Channel() => System.Threading.Channels.Channel.CreateUnbounded<Activity>();

    /// <summary>A scrape without the names of the scope, which stand in every line.</summary>
    private static string Sample(string scrape) => System.Text.RegularExpressions.Regex.Replace(scrape, "otel_scope_[a-z_]+=\"[^\"]*\",?", "")
        .Replace(",}", "}", StringComparison.Ordinal).Replace("{}", "", StringComparison.Ordinal);

    private static Task WaitForMetricAsync(Microsoft.AspNetCore.Builder.WebApplication app, string name, long value) =>
        WaitForAsync(app, "/metrics", text => Sample(text).Split('\n').Any(line => line.StartsWith(name + " " + value, StringComparison.Ordinal)));

    private static async Task WaitForAsync(Microsoft.AspNetCore.Builder.WebApplication app, string path, Func<string, bool> holds)
    {
        var token = Wait.Token;
        while (!holds(await CollectorFixture.GetAsync(app, path)))
        {
            token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();
}
